#include "core/digest/answer.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/digest/cell_sender.h"
#include "core/digest/range_window.h"
#include "tests/support/alloc_counter.h"
#include "tests/support/member_bag.h"

namespace starling {
namespace {

const Endpoint asker{IpAddress::v4(1, 2, 3, 4), 7946};
constexpr SyncHeader asked_header{.exchange = ExchangeId{77}};

// What a bag answered: copies, decoded again when looked at.
struct Answers {
  std::vector<std::vector<std::byte>> bytes;

  std::size_t size() const { return bytes.size(); }
  SyncMessage operator[](std::size_t i) const {
    const auto message = decode_sync(Bytes(bytes[i]).subspan(1));
    CHECK(message.has_value());
    EXPECT_TRUE(message->header.from_responder);
    EXPECT_EQ(message->header.exchange, asked_header.exchange);
    return *message;
  }
  template <class Message>
  Message as(std::size_t i) const {
    return std::get<Message>((*this)[i].body);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < size(); ++i) {
      const SyncMessage message = (*this)[i];
      const auto* const records = std::get_if<SyncRecords>(&message.body);
      if (records == nullptr) continue;
      SyncRecordReader reader(records->records);
      for (SyncRecord record; reader.next(record);) names.emplace_back(record.name);
    }
    return names;
  }
};

Answers ask(test::MemberBag& bag, const SyncBody& body, std::size_t room = sync_message_bytes_max) {
  Answers answers;
  bag.on_send([&](const Endpoint& to, Bytes message) {
    EXPECT_EQ(to, asker);
    EXPECT_LE(message.size(), room);
    answers.bytes.emplace_back(message.begin(), message.end());
  });
  answer(asker, {asked_header, body}, room, bag);
  return answers;
}

struct Opening {
  std::array<std::uint8_t, 512> sums;
  std::vector<std::byte> cells;
  SyncDigest message;
  Opening(const test::MemberBag& bag, std::size_t cell_count)
      : cells(cell_count * sync_cell_bytes) {
    bag.digest().fold(9, 0, 0, sums);
    Writer out(cells);
    for (std::size_t i = 0; i < cell_count; ++i) put_cell(wire_cell(bag.cells()[i]), out);
    message = {.root = bag.digest().root().sum,
               .count = bag.digest().count(),
               .fold_log2 = 9,
               .sums = std::as_bytes(std::span(sums)),
               .cells = SyncCells(cells)};
  }
};

void put_members(test::MemberBag& bag, std::uint32_t first, std::uint32_t end,
                 std::uint32_t incarnation = 0) {
  for (std::uint32_t i = first; i < end; ++i) {
    std::string name;
    MemberRecord record = test::made_up_record(i, true, name);
    if (incarnation > 0) record.incarnation = Incarnation{incarnation};
    bag.put(record);
  }
}

TEST(Answer, EqualTablesAreFinished) {
  test::MemberBag ours({}), theirs({});
  put_members(ours, 0, 100);
  put_members(theirs, 0, 100);
  const Answers answers = ask(ours, Opening(theirs, 16).message);
  ASSERT_EQ(answers.size(), 1U);
  const auto finished = answers.as<SyncFinished>(0);
  EXPECT_EQ(finished.serial, 0);
  EXPECT_EQ(finished.root, ours.digest().root().sum);
  EXPECT_EQ(finished.count, 100U);
}

TEST(Answer, AFewDifferencesAreToldAtOnce) {
  test::MemberBag ours({}), theirs({});
  put_members(ours, 0, 103);  // three that they have not
  put_members(theirs, 0, 100);
  put_members(theirs, 200, 202);   // two that we have not
  put_members(theirs, 50, 51, 9);  // one that is newer there
  const Answers answers = ask(ours, Opening(theirs, 16).message);
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_FALSE(answers.as<SyncRecords>(0).last());
  const auto names = answers.names();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()),
            (std::set<std::string>{"node-00000000100", "node-00000000101", "node-00000000102",
                                   "node-00000000050"}));
  const auto want = answers.as<SyncWant>(1);
  EXPECT_TRUE(want.last);
  EXPECT_EQ(want.symbols.size(), 2U);
  // What is wanted is what they then send.
  const Answers sent = ask(theirs, want);
  EXPECT_EQ(sent.names().size(), 2U);
}

TEST(Answer, WithoutWantsTheRecordsAreTheLast) {
  test::MemberBag ours({}), theirs({});
  put_members(ours, 0, 2);
  put_members(theirs, 0, 1);
  const Answers answers = ask(ours, Opening(theirs, 16).message);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_TRUE(answers.as<SyncRecords>(0).last());
}

TEST(Answer, MoreDifferencesAreCounted) {
  test::MemberBag ours({}), theirs({});
  put_members(ours, 0, 10'000);
  put_members(theirs, 0, 10'000);
  put_members(theirs, 0, 100, 9);
  const Opening opening(theirs, 16);
  const Answers answers = ask(ours, opening.message);
  ASSERT_GT(answers.size(), 1U);
  const auto differing = answers.as<SyncDiffering>(0);
  EXPECT_EQ(differing.root, ours.digest().root().sum);
  EXPECT_EQ(differing.cells_held, 4096U);
  std::uint32_t count = 0;
  std::array<std::uint8_t, 512> sums;
  ours.digest().fold(9, 0, 0, sums);
  for (std::size_t i = 0; i < 512; ++i) {
    EXPECT_EQ(differing.differs(i), sums[i] != opening.sums[i]);
    count += differing.differs(i);
  }
  const std::uint32_t wanted = cells_for(estimate_difference(count, 512), 10'000, 10'000);
  std::size_t cells = differing.cells.size();
  for (std::size_t i = 1; i < answers.size(); ++i)
    cells += answers.as<SyncCellsPart>(i).cells.size();
  EXPECT_EQ(cells, std::min(wanted, cells_of_a_request(sync_message_bytes_max)));
}

TEST(Answer, NoCellsWhereTheyCannotHelp) {
  test::MemberBag ours({}), theirs({}), none({.cells = 0});
  put_members(ours, 0, 10'000);
  put_members(theirs, 10'000, 20'000);
  Answers answers = ask(ours, Opening(theirs, 16).message);  // everything differs
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers.as<SyncDiffering>(0).cells.size(), 0U);
  answers = ask(none, Opening(theirs, 16).message);
  EXPECT_EQ(answers.as<SyncDiffering>(0).cells_held, 0U);
  EXPECT_EQ(answers.as<SyncDiffering>(0).cells.size(), 0U);
  const std::vector<std::byte> sums(512);  // one part of a closer look
  answers = ask(ours, SyncDigest{.fold_log2 = 12, .first_bucket = 512, .sums = sums});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers.as<SyncDiffering>(0).first_bucket, 512);
  EXPECT_EQ(answers.as<SyncDiffering>(0).buckets, 512);
}

TEST(Answer, ADigestOfNothing) {
  test::MemberBag bag({});
  put_members(bag, 0, 10);
  EXPECT_EQ(ask(bag, SyncDigest{}).size(), 1U);
  EXPECT_EQ(ask(bag, SyncDigest{.fold_log2 = 12}).size(), 1U);
}

TEST(Answer, PagesAreAllRowsOnce) {
  test::MemberBag bag({});
  put_members(bag, 0, 3000);
  for (const std::size_t room : {std::size_t{900}, std::size_t{1400}}) {
    std::map<std::string, int> seen;
    std::uint32_t pages = 1;
    for (std::uint16_t page = 0; page < pages; ++page) {
      const Answers answers = ask(bag, SyncRangeWanted{.buckets = 2000, .page = page}, room);
      ASSERT_EQ(answers.size(), 1U);
      const auto records = answers.as<SyncRecords>(0);
      ASSERT_TRUE(records.of_range());
      EXPECT_EQ(records.range.page, page);
      EXPECT_EQ(records.range.sum, bag.digest().sum(Bucket{0}, 2000));
      pages = records.range.last_page + 1U;
      for (const std::string& name : answers.names()) ++seen[name];
    }
    EXPECT_GT(pages, 5U);
    std::size_t expected = 0;
    auto visit = [&](const MemberRecord& record) {
      ++expected;
      EXPECT_EQ(seen[std::string(record.name)], 1);
      return true;
    };
    bag.for_each_in_buckets(Bucket{0}, 2000, RecordVisitor(visit));
    EXPECT_EQ(seen.size(), expected);
    const Answers beyond =
        ask(bag, SyncRangeWanted{.buckets = 2000, .page = static_cast<std::uint16_t>(pages)}, room);
    EXPECT_TRUE(beyond.names().empty());
  }
}

TEST(Answer, ARangeHasABoundedNumberOfPages) {
  test::MemberBag bag({.cells = 0});
  put_members(bag, 0, 20'000);
  const Answers answers = ask(bag, SyncRangeWanted{.buckets = 4096, .page = 0});
  EXPECT_EQ(answers.as<SyncRecords>(0).range.last_page, range_pages_max - 1);
}

TEST(Answer, AnEqualRangeNeedsNoRows) {
  test::MemberBag bag({});
  put_members(bag, 0, 1000);
  const std::uint64_t sum = bag.digest().sum(Bucket{7}, 100);
  const Answers answers = ask(bag, SyncRangeWanted{.first_bucket = 7, .buckets = 100, .sum = sum});
  EXPECT_TRUE(answers.names().empty());
  EXPECT_EQ(answers.as<SyncRecords>(0).range.sum, sum);
}

TEST(Answer, RecordsOfADeadMemberAreContradicted) {
  test::MemberBag bag({});
  std::string name;
  MemberRecord record = test::made_up_record(1, true, name);
  record.state = MemberState::dead;
  bag.put(record);
  record.state = MemberState::alive;
  std::array<std::byte, 200> room;
  Writer out(room);
  SyncRecordWriter(out).add(to_wire(record));
  const Answers answers = ask(bag, SyncRecords{.records = out.written()});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_TRUE(answers.as<SyncRecords>(0).reply());
  EXPECT_EQ(
      ask(bag, SyncRecords{.flags = SyncRecords::flag_reply, .records = out.written()}).size(), 0U);
}

TEST(Answer, FinishedIsAnsweredWithItsSerial) {
  test::MemberBag bag({});
  put_members(bag, 0, 10);
  EXPECT_EQ(ask(bag, SyncFinished{.serial = 200}).as<SyncFinished>(0).serial, 200);
}

TEST(Answer, WhatOnlyAResponderSendsIsIgnored) {
  test::MemberBag bag({});
  put_members(bag, 0, 10);
  EXPECT_EQ(ask(bag, SyncDiffering{}).size(), 0U);
  EXPECT_EQ(ask(bag, SyncCellsPart{}).size(), 0U);
  EXPECT_EQ(ask(bag, SyncRecords{.flags = SyncRecords::flag_range}).size(), 0U);
  bool sent = false;
  bag.on_send([&](const Endpoint&, Bytes) { sent = true; });
  answer(asker, {{.from_responder = true}, SyncFinished{}}, 1400, bag);
  EXPECT_FALSE(sent);
}

TEST(Answer, AllocatesNothing) {
  test::MemberBag bag({});
  put_members(bag, 0, 5000);
  test::MemberBag other({});
  put_members(other, 0, 5005);
  const Opening opening(other, 16);
  std::uint32_t sent = 0;
  bag.on_send([&](const Endpoint&, Bytes) { ++sent; });
  const test::AllocationCounter allocations;
  answer(asker, {asked_header, opening.message}, 1400, bag);
  answer(asker, {asked_header, SyncRangeWanted{.buckets = 100}}, 1400, bag);
  answer(asker, {asked_header, SyncCellsWanted{.count = 500}}, 1400, bag);
  EXPECT_EQ(allocations.count(), 0U);
  EXPECT_GT(sent, 3U);
}

}  // namespace
}  // namespace starling
