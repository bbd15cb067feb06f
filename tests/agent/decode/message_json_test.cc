#include "agent/decode/message_json.h"

#include <gtest/gtest.h>

#include "wire/push_pull.h"
#include "wire/sync.h"
#include "wire/sync_records.h"

namespace starling::agent::decode {
namespace {

std::vector<std::byte> push_pull(Bytes user_state) {
  std::vector<std::byte> room(4096);
  Writer out(room);
  encode(PushPullHeader{.nodes = 1,
                        .user_state_bytes = static_cast<std::int64_t>(user_state.size()),
                        .join = true},
         out, SignedStyle::signed_form);
  const std::array<std::byte, 6> versions = encode_versions(Versions{});
  encode(NodeState{.name = "a",
                   .address = as_bytes("\x0a\x01\x01\x01"),
                   .port = 7946,
                   .incarnation = Incarnation{2},
                   .state = 2,
                   .versions = versions},
         out);
  out.put(user_state);
  room.resize(out.size());
  return room;
}

template <class Message>
std::vector<std::byte> sync_message(const Message& message, bool from_responder = false) {
  std::vector<std::byte> room(sync_message_bytes_max);
  Writer out(room);
  encode(SyncHeader{.exchange = ExchangeId{7}, .from_responder = from_responder}, message, out);
  room.resize(out.size());
  return room;
}

TEST(MessageJson, SyncMessagesWithTheirCounts) {
  EXPECT_EQ(
      datagram_message_json(sync_message(SyncFinished{.serial = 2, .root = 0xab, .count = 9}, true))
          .json.dump(),
      R"({"type":"sync","kind":"finished","exchange":7,"from":"responder","serial":2,)"
      R"("root":"00000000000000ab","rows":9})");
  EXPECT_EQ(
      datagram_message_json(sync_message(SyncCellsWanted{.first = 3, .count = 4})).json.dump(),
      R"({"type":"sync","kind":"cells wanted","exchange":7,"from":"initiator","first":3,)"
      R"("count":4})");
  const std::array<std::byte, 3> bitmap{std::byte{0xc0}, std::byte{0}, std::byte{0x80}};
  const auto differing = datagram_message_json(sync_message(
      SyncDiffering{.root = 1, .count = 2, .fold_log2 = 5, .buckets = 17, .bitmap = bitmap}));
  EXPECT_FALSE(differing.fault);
  EXPECT_EQ(differing.json["differing"], 3);
}

TEST(MessageJson, SyncRecordsAreCounted) {
  std::vector<std::byte> rows(512);
  Writer out(rows);
  SyncRecordWriter writer(out);
  for (const std::string_view name : {"a", "b", "c"}) ASSERT_TRUE(writer.add({.name = name}));
  rows.resize(out.size());
  const auto whole = datagram_message_json(
      sync_message(SyncRecords{.flags = SyncRecords::flag_last, .records = rows}));
  EXPECT_FALSE(whole.fault);
  EXPECT_EQ(whole.json["rows"], 3);
  EXPECT_EQ(whole.json["last"], true);
  rows.pop_back();
  EXPECT_TRUE(datagram_message_json(sync_message(SyncRecords{.records = rows})).fault);
  EXPECT_TRUE(datagram_message_json(std::vector{std::byte{sync_message_type}}).fault);
}

TEST(MessageJson, PushPullWithItsSurplus) {
  auto message = push_pull(as_bytes("state"));
  message.push_back(std::byte{0});
  const DescribedMessage described = stream_message_json(message);
  EXPECT_FALSE(described.fault);
  EXPECT_EQ(described.surplus_bytes, 1U);
  EXPECT_EQ(described.json["nodes"].dump(),
            R"([{"Name":"a","Addr":"10.1.1.1","Port":7946,"Meta":{"bytes":0},"Incarnation":2,)"
            R"("State":"dead","Vsn":[1,5,2,2,5,5]}])");
  EXPECT_EQ(described.json["user_state"]["text"], "state");
}

TEST(MessageJson, EveryCutOfAStreamMessageIsTruncated) {
  const auto message = push_pull(as_bytes("state"));
  for (std::size_t size = 0; size < message.size(); ++size) {
    const DescribedMessage described = stream_message_json(Bytes(message).first(size));
    ASSERT_TRUE(described.fault) << size;
    EXPECT_EQ(described.fault->fault, WireFault::truncated) << size;
    EXPECT_LE(described.fault->offset, size) << size;
  }
}

TEST(MessageJson, LengthsThatLie) {
  std::array<std::byte, 64> room;
  Writer out(room);
  encode(UserHeader{.bytes = -1}, out, SignedStyle::signed_form);
  EXPECT_EQ(stream_message_json(out.written()).fault->fault, WireFault::out_of_range);
  out.rewind(0);
  encode(PushPullHeader{.nodes = 1 << 30}, out, SignedStyle::signed_form);
  EXPECT_EQ(stream_message_json(out.written()).fault->field, std::string("Nodes"));
}

TEST(MessageJson, TypesOfTheOtherTransport) {
  EXPECT_EQ(datagram_message_json(as_bytes("\x06\x80")).fault->fault, WireFault::unsupported);
  EXPECT_EQ(stream_message_json(as_bytes("\x03\x80")).fault->fault, WireFault::unsupported);
}

}  // namespace
}  // namespace starling::agent::decode
