#include "agent/rpc_messages.h"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/agent/cli/replay.h"
#include "wire/value_scanner.h"

namespace starling::agent {
namespace {

using cli::from_hex;

// The values of a stream, cut where they end.
std::vector<std::string> values_of(std::string_view stream) {
  std::vector<std::string> values;
  while (!stream.empty()) {
    ValueScanner scanner;
    const auto taken = scanner.scan(as_bytes(stream));
    if (!taken || !scanner.complete()) {
      ADD_FAILURE() << "not a whole number of values";
      break;
    }
    values.emplace_back(stream.substr(0, *taken));
    stream.remove_prefix(*taken);
  }
  return values;
}

template <class Request>
std::string encoded(const Request& request) {
  std::string out;
  append(out, request);
  return out;
}

template <class Request>
void expect_round_trip(const std::string& bytes) {
  Request request;
  ASSERT_TRUE(decode_into(as_bytes(bytes), request));
  EXPECT_EQ(nlohmann::json::from_msgpack(encoded(request)), nlohmann::json::from_msgpack(bytes));
}

// Every request that a real CLI sent is decoded and written again with the same content.
TEST(RpcMessages, RecordedRequestsThereAndBack) {
  std::ifstream file(STARLING_SOURCE_DIR "/tests/vectors/serf-rpc.json");
  const nlohmann::json all = nlohmann::json::parse(file);
  std::map<std::string, int> seen;
  for (const nlohmann::json& exchange : all["exchanges"]) {
    if (!exchange.contains("request_stream_hex")) continue;
    const auto values = values_of(from_hex(exchange["request_stream_hex"]));
    for (std::size_t i = 0; i < values.size(); ++i) {
      RequestHeader header;
      ASSERT_TRUE(decode_into(as_bytes(values[i]), header));
      EXPECT_EQ(encoded(header), values[i]);
      ++seen[header.command];
      const std::string body = i + 1 < values.size() ? values[i + 1] : "";
      if (header.command == "handshake")
        expect_round_trip<HandshakeRequest>(body);
      else if (header.command == "auth")
        expect_round_trip<AuthRequest>(body);
      else if (header.command == "event")
        expect_round_trip<EventRequest>(body);
      else if (header.command == "force-leave")
        expect_round_trip<ForceLeaveRequest>(body);
      else if (header.command == "join")
        expect_round_trip<JoinRequest>(body);
      else if (header.command == "members-filtered")
        expect_round_trip<MembersFilteredRequest>(body);
      else if (header.command == "tags")
        expect_round_trip<TagsRequest>(body);
      else if (header.command == "stream")
        expect_round_trip<StreamRequest>(body);
      else if (header.command == "monitor")
        expect_round_trip<MonitorRequest>(body);
      else if (header.command == "stop")
        expect_round_trip<StopRequest>(body);
      else if (header.command == "members" || header.command == "stats" ||
               header.command == "leave" || header.command == "list-keys")
        continue;
      ++i;
    }
  }
  for (const char* command : {"handshake", "auth", "event", "force-leave", "join",
                              "members-filtered", "tags", "stream", "monitor", "stop"}) {
    EXPECT_GT(seen[command], 0) << command;
  }
}

// Member lists and statistics of real agents are decoded and written again.
TEST(RpcMessages, RecordedBodiesThereAndBack) {
  std::ifstream file(STARLING_SOURCE_DIR "/tests/vectors/serf-rpc.json");
  const nlohmann::json all = nlohmann::json::parse(file);
  int lists = 0;
  int statistics = 0;
  for (const nlohmann::json& exchange : all["exchanges"]) {
    if (!exchange.contains("response_stream_hex")) continue;
    for (const std::string& value : values_of(from_hex(exchange["response_stream_hex"]))) {
      const nlohmann::json content = nlohmann::json::from_msgpack(value);
      if (content.contains("Members")) {
        const auto members = decode_members(as_bytes(value));
        ASSERT_TRUE(members);
        std::vector<const MemberInfo*> pointers;
        for (const MemberInfo& member : *members) pointers.push_back(&member);
        std::string again;
        append_members(again, pointers);
        EXPECT_EQ(nlohmann::json::from_msgpack(again), content);
        ++lists;
      } else if (content.contains("runtime")) {
        const auto stats = decode_stats(as_bytes(value));
        ASSERT_TRUE(stats);
        std::string again;
        append_stats(again, *stats);
        EXPECT_EQ(nlohmann::json::from_msgpack(again), content);
        ++statistics;
      }
    }
  }
  EXPECT_GT(lists, 3);
  EXPECT_GT(statistics, 1);
}

TEST(RpcMessages, HeaderKeepsWhatIsMissing) {
  RequestHeader header{.command = "members", .sequence = 77};
  ASSERT_TRUE(decode_into(as_bytes("\x81\xa5"
                                   "Extra\x01"),
                          header));
  EXPECT_EQ(header.command, "members");
  EXPECT_EQ(header.sequence, 77U);
  ASSERT_TRUE(decode_into(as_bytes("\x81\xa3"
                                   "Seq\x4e"),
                          header));
  EXPECT_EQ(header.command, "members");
  EXPECT_EQ(header.sequence, 78U);
}

TEST(RpcMessages, PayloadNilAndEmptyDiffer) {
  EXPECT_EQ(
      nlohmann::json::from_msgpack(encoded(EventRequest{.name = "x", .payload = {}}))["Payload"],
      nlohmann::json());
  EXPECT_TRUE(
      nlohmann::json::from_msgpack(encoded(EventRequest{.name = "x", .payload = ""}))["Payload"]
          .is_binary());
}

TEST(RpcMessages, WrongTypesAreErrors) {
  EventRequest event;
  EXPECT_FALSE(decode_into(as_bytes("\x05"), event));
  EXPECT_FALSE(decode_into(as_bytes("\x81\xa4"
                                    "Name\x05"),
                           event));
  JoinRequest join;
  EXPECT_FALSE(decode_into(as_bytes("\x81\xa8"
                                    "Existing\xdd\xff\xff\xff\xff"),
                           join));
  RequestHeader header;
  EXPECT_FALSE(decode_into(as_bytes("\xc1"), header));
  TagsRequest tags;
  EXPECT_FALSE(decode_into(as_bytes("\x81\xa4"
                                    "Tags\xdf\xff\xff\xff\xff\xa1"
                                    "a"),
                           tags));
}

}  // namespace
}  // namespace starling::agent
