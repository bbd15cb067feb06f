#include "core/digest/record_sender.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/member_bag.h"

namespace starling {
namespace {

struct Sent {
  std::vector<std::uint8_t> flags;
  std::vector<std::string> names;
};

void collect(test::MemberBag& bag, Sent& sent, std::size_t room = sync_message_bytes_max) {
  bag.on_send([&sent, room](const Endpoint&, Bytes bytes) {
    EXPECT_LE(bytes.size(), room);
    const auto message = decode_sync(bytes.subspan(1));
    ASSERT_TRUE(message.has_value());
    const auto& records = std::get<SyncRecords>(message->body);
    sent.flags.push_back(records.flags);
    SyncRecordReader reader(records.records);
    for (SyncRecord record; reader.next(record);) sent.names.emplace_back(record.name);
    EXPECT_TRUE(reader.ok());
  });
}

TEST(RecordSender, FillsDatagrams) {
  test::MemberBag bag({});
  Sent sent;
  collect(bag, sent, 900);
  SyncOutbox out(bag, {}, 900);
  RecordSender sender(out, {}, SyncRecords::flag_reply);
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < 200; ++i) {
    std::string name;
    sender.add(test::made_up_record(i, false, name));
    names.push_back(name);
  }
  sender.finish(true);
  EXPECT_EQ(sent.names, names);
  EXPECT_EQ(sent.flags.size(), sender.sent());
  EXPECT_EQ(out.traffic().messages, sender.sent());
  EXPECT_LE(sender.sent(), 200 * 27 / (900 - 60) + 1U);
  for (std::size_t i = 0; i < sent.flags.size(); ++i) {
    const bool last = i + 1 == sent.flags.size();
    EXPECT_EQ(sent.flags[i],
              last ? SyncRecords::flag_reply | SyncRecords::flag_last : +SyncRecords::flag_reply);
  }
}

TEST(RecordSender, NothingIsSentUnlessItIsTheLast) {
  test::MemberBag bag({});
  Sent sent;
  collect(bag, sent);
  SyncOutbox out(bag, {}, sync_message_bytes_max);
  RecordSender sender(out, {}, 0);
  sender.finish(false);
  EXPECT_EQ(sender.sent(), 0U);
  sender.finish(true);
  EXPECT_EQ(sender.sent(), 1U);
}

TEST(RecordSender, LargestRecordsInTheLeastRoom) {
  test::MemberBag bag({});
  Sent sent;
  collect(bag, sent, 900);
  SyncOutbox out(bag, {}, 900);
  RecordSender sender(out, {}, 0);
  for (char i = 'a'; i < 'e'; ++i) {
    const std::string name(255, i), meta(512, i);
    sender.add({.name = name,
                .incarnation = Incarnation{UINT32_MAX},
                .endpoint = {IpAddress(as_bytes("0123456789abcdef")), 9},
                .versions = {9, 9, 9, 9, 9, static_cast<std::uint8_t>(i)},
                .meta = as_bytes(meta),
                .status_time = LamportTime{UINT64_MAX}});
  }
  sender.finish(false);
  EXPECT_EQ(sent.names.size(), 4U);
}

TEST(RecordSender, RowsOfSymbols) {
  test::MemberBag bag({.cells = 0});
  Sent sent;
  collect(bag, sent);
  std::vector<Symbol> symbols;
  std::set<std::string> names;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    std::string name;
    const MemberRecord record = test::made_up_record(i, true, name);
    bag.put(record);
    if (i % 7 != 0) continue;
    symbols.push_back(mark_of(bag.digest().key(), record).symbol);
    names.insert(name);
    // The same name, another content: not in the table.
    symbols.push_back(Symbol{to_number(symbols.back()) ^ 1});
  }
  std::ranges::sort(symbols);
  SyncOutbox out(bag, {}, sync_message_bytes_max);
  RecordSender sender(out, {}, 0);
  send_records_of(symbols, bag, sender);
  sender.finish(false);
  EXPECT_EQ(std::set<std::string>(sent.names.begin(), sent.names.end()), names);
  EXPECT_EQ(sent.names.size(), names.size());
}

// Every combination of what decides.
TEST(KnowsMore, IncarnationThenDeathThenStatusTime) {
  const std::array states{MemberState::alive, MemberState::suspect, MemberState::dead,
                          MemberState::left};
  for (const std::uint32_t held_inc : {1, 2, 3}) {
    for (const MemberState held_state : states) {
      for (const MemberState state : states) {
        for (const std::uint64_t held_time : {1, 2, 3}) {
          const MemberRecord held{.incarnation = Incarnation{held_inc},
                                  .status_time = LamportTime{held_time},
                                  .state = held_state};
          const MemberRecord received{
              .incarnation = Incarnation{2}, .status_time = LamportTime{2}, .state = state};
          const bool died = !is_digested(held_state) && is_digested(state);
          const bool expected = held_inc > 2 || (held_inc == 2 && (died || held_time > 2));
          EXPECT_EQ(knows_more(held, received), expected);
        }
      }
    }
  }
}

TEST(ApplyRecords, AnswersWhatItKnowsBetterButNoReply) {
  std::string name;
  const auto record = [&](std::uint32_t number, std::uint32_t incarnation) {
    MemberRecord made = test::made_up_record(number, true, name);
    made.incarnation = Incarnation{incarnation};
    return made;
  };
  for (const bool reply : {false, true}) {
    test::MemberBag bag({});
    bag.put(record(1, 5));
    bag.put(record(2, 5));
    std::array<std::byte, 1400> room;
    Writer packed(room);
    SyncRecordWriter writer(packed);
    writer.add(to_wire(record(1, 4)));
    writer.add(to_wire(record(2, 6)));
    writer.add(to_wire(record(3, 1)));
    Sent sent;
    collect(bag, sent);
    SyncOutbox out(bag, {}, sync_message_bytes_max);
    std::uint32_t names = 0;
    apply_records(
        {.flags = reply ? SyncRecords::flag_reply : std::uint8_t{0}, .records = packed.written()},
        {}, out, [&](NameHash) { ++names; });
    EXPECT_EQ(names, 3U);
    EXPECT_EQ(bag.size(), 3U);
    const std::string first = "node-00000000001";
    EXPECT_EQ(sent.names, reply ? std::vector<std::string>{} : std::vector<std::string>{first});
    if (!reply) {
      EXPECT_EQ(sent.flags, std::vector<std::uint8_t>{SyncRecords::flag_reply});
    }
  }
}

}  // namespace
}  // namespace starling
