#include "agent/rpc_messages.h"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "agent/members_decoder.h"
#include "agent/tag_sets.h"
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
      else if (header.command == "get-coordinate")
        expect_round_trip<CoordinateRequest>(body);
      else if (header.command == "install-key" || header.command == "use-key" ||
               header.command == "remove-key")
        expect_round_trip<KeyRequestBody>(body);
      else if (header.command == "members" || header.command == "stats" ||
               header.command == "leave" || header.command == "list-keys")
        continue;
      ++i;
    }
  }
  for (const char* command :
       {"handshake", "auth", "event", "force-leave", "join", "members-filtered", "tags", "stream",
        "monitor", "stop", "get-coordinate", "install-key", "use-key", "remove-key", "list-keys"}) {
    EXPECT_GT(seen[command], 0) << command;
  }
}

// Member lists and statistics of real agents are decoded and written again.
TEST(RpcMessages, RecordedBodiesThereAndBack) {
  std::ifstream file(STARLING_SOURCE_DIR "/tests/vectors/serf-rpc.json");
  const nlohmann::json all = nlohmann::json::parse(file);
  int lists = 0;
  int statistics = 0;
  int coordinates = 0;
  int outcomes = 0;
  for (const nlohmann::json& exchange : all["exchanges"]) {
    if (!exchange.contains("response_stream_hex")) continue;
    for (const std::string& value : values_of(from_hex(exchange["response_stream_hex"]))) {
      const nlohmann::json content = nlohmann::json::from_msgpack(value);
      if (content.contains("Members")) {
        MembersDecoder decoder;
        MemberEventRecord record;
        Bytes body = as_bytes(value);
        ASSERT_TRUE(decoder.feed(
            body, [&](MemberInfo&& member) { record.members.push_back(std::move(member)); }));
        ASSERT_TRUE(decoder.complete());
        std::string again;
        append(again, record);
        EXPECT_EQ(nlohmann::json::from_msgpack(again)["Members"], content["Members"]);
        ++lists;
      } else if (content.contains("runtime")) {
        const auto stats = decode_stats(as_bytes(value));
        ASSERT_TRUE(stats);
        std::string again;
        append_stats(again, *stats);
        EXPECT_EQ(nlohmann::json::from_msgpack(again), content);
        ++statistics;
      } else if (content.contains("Coord")) {
        const auto known = decode_coordinate(as_bytes(value));
        ASSERT_TRUE(known);
        EXPECT_EQ(known->has_value(), content["Ok"].get<bool>());
        std::string again;
        append_coordinate(again, *known);
        EXPECT_EQ(again, value) << "bit for bit";
        ++coordinates;
      } else if (content.contains("NumErr")) {
        auto outcome = decode_key_outcome(as_bytes(value));
        ASSERT_TRUE(outcome);
        if (content["Keys"].is_null()) outcome->keys.reset();  // read as an empty map
        std::string again;
        append(again, *outcome);
        EXPECT_EQ(nlohmann::json::from_msgpack(again), content);
        ++outcomes;
      }
    }
  }
  EXPECT_GT(lists, 3);
  EXPECT_GT(statistics, 1);
  EXPECT_GT(coordinates, 5);
  EXPECT_GT(outcomes, 5);
}

// A list that is written member by member is the same as the list of an event record.
TEST(RpcMessages, ListsAreWrittenInPieces) {
  const Tags tags{{"role", "web"}, {"dc", "east"}};
  const std::string encoded_tags = encode_tags(tags);
  const Endpoint endpoint{IpAddress::v4(127, 0, 0, 1), 7946};
  MemberEventRecord record{.event = "member-join", .members = {}};
  std::string list;
  append_members_header(list, 3);
  for (const char* name : {"a", "b", "c"}) {
    append_member(list, {.name = name,
                         .endpoint = endpoint,
                         .status = MemberStatus::leaving,
                         .versions = {},
                         .tags = encoded_tags});
    record.members.push_back({.name = name,
                              .address = endpoint.address,
                              .port = endpoint.port,
                              .tags = tags,
                              .status = "leaving",
                              .versions = {}});
  }
  EXPECT_EQ(nlohmann::json::from_msgpack(list)["Members"],
            nlohmann::json::from_msgpack(encoded(record))["Members"]);
}

TEST(RpcMessages, RequestsOfOurOwnThereAndBack) {
  const HostMemberRequest host{.name = "n", .tags = {{"a", "b"}}, .advertise = "10.0.0.1"};
  HostMemberRequest host_again;
  ASSERT_TRUE(decode_into(as_bytes(encoded(host)), host_again));
  EXPECT_EQ(host_again.name, host.name);
  EXPECT_EQ(host_again.tags, host.tags);
  EXPECT_EQ(host_again.advertise, host.advertise);
  UnhostMemberRequest unhost;
  ASSERT_TRUE(decode_into(as_bytes(encoded(UnhostMemberRequest{.name = "n"})), unhost));
  EXPECT_EQ(unhost.name, "n");
  const MemberTagsRequest tags{.member = "n", .tags = {{"a", "b"}}, .delete_tags = {"c", "d"}};
  MemberTagsRequest tags_again;
  ASSERT_TRUE(decode_into(as_bytes(encoded(tags)), tags_again));
  EXPECT_EQ(tags_again.member, tags.member);
  EXPECT_EQ(tags_again.tags, tags.tags);
  EXPECT_EQ(tags_again.delete_tags, tags.delete_tags);
  EXPECT_FALSE(decode_into(as_bytes("\x81\xa4Name\x05"), unhost));
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
