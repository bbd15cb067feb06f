#include "core/digest/exchange.h"

#include <gtest/gtest.h>

#include "core/digest/cell_sender.h"
#include "tests/support/alloc_counter.h"
#include "tests/support/sync_link.h"

namespace starling {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

void fill(test::MemberBag& bag, std::uint32_t first, std::uint32_t end,
          std::uint32_t incarnation = 1, bool plain_names = true) {
  bag.filling = true;
  std::string name;
  for (std::uint32_t i = first; i < end; ++i) {
    MemberRecord record = test::made_up_record(i, plain_names, name);
    record.incarnation = Incarnation{incarnation};
    bag.put(record);
  }
  bag.filling = false;
  bag.rebuild();
}

void change(test::MemberBag& bag, std::uint32_t number, std::uint32_t incarnation,
            bool plain_names = true) {
  std::string name;
  MemberRecord record = test::made_up_record(number, plain_names, name);
  record.incarnation = Incarnation{incarnation};
  bag.put(record);
}

void expect_equal(const test::MemberBag& a, const test::MemberBag& b) {
  EXPECT_EQ(a.digest().root(), b.digest().root());
}

TEST(Exchange, EqualTables) {
  test::MemberBag ours({}), theirs({});
  fill(ours, 0, 5000);
  fill(theirs, 0, 5000);
  test::SyncLink link(ours, theirs, {});
  EXPECT_FALSE(link.exchange().running());
  const ExchangeOutcome& outcome = link.run();
  EXPECT_EQ(outcome.end, ExchangeEnd::converged);
  EXPECT_EQ(outcome.messages_out, 1U);
  EXPECT_EQ(outcome.messages_in, 1U);
  EXPECT_EQ(outcome.round_trips, 1U);
  EXPECT_LE(link.bytes(), 800U);
  EXPECT_EQ(outcome.bytes_in + outcome.bytes_out, link.bytes());
}

TEST(Exchange, EmptyTables) {
  test::MemberBag ours({}), theirs({});
  EXPECT_TRUE(test::SyncLink(ours, theirs, {}).run().converged());
}

struct Mix {
  std::uint32_t newer_here, newer_there, only_here, only_there;
  std::uint32_t total() const { return newer_here + newer_there + only_here + only_there; }
};

// Two tables of `rows` rows that differ so.
void differ(test::MemberBag& ours, test::MemberBag& theirs, std::uint32_t rows, const Mix& mix,
            bool plain_names) {
  fill(ours, 0, rows, 1, plain_names);
  fill(theirs, 0, rows, 1, plain_names);
  const std::uint32_t step = std::max(1U, rows / std::max(1U, mix.newer_here + mix.newer_there));
  for (std::uint32_t i = 0; i < mix.newer_here + mix.newer_there; ++i) {
    change(i < mix.newer_here ? ours : theirs, i * step, 5, plain_names);
  }
  for (std::uint32_t i = 0; i < mix.only_here; ++i) change(ours, rows + i, 1, plain_names);
  for (std::uint32_t i = 0; i < mix.only_there; ++i) {
    change(theirs, rows + mix.only_here + i, 1, plain_names);
  }
}

TEST(Exchange, EveryDifferenceOfEverySize) {
  const std::vector<Mix> mixes{{1, 0, 0, 0},     {0, 1, 0, 0},         {0, 0, 1, 0},
                               {0, 0, 0, 1},     {1, 1, 1, 1},         {5, 5, 0, 0},
                               {10, 0, 20, 0},   {0, 10, 0, 20},       {25, 25, 25, 25},
                               {300, 300, 0, 0}, {100, 100, 500, 500}, {1500, 1500, 100, 100}};
  for (const Mix& mix : mixes) {
    for (const std::uint32_t cells : {0U, 16U, 4096U, 16'384U}) {
      for (const std::uint32_t rows : {3000U, 30'000U}) {
        test::MemberBag ours({.cells = cells}), theirs({.cells = cells});
        differ(ours, theirs, rows, mix, true);
        test::SyncLink link(ours, theirs, {.cells_max = cells});
        const ExchangeOutcome& outcome = link.run();
        EXPECT_EQ(outcome.end, ExchangeEnd::converged)
            << mix.total() << " of " << rows << " with " << cells << " cells";
        expect_equal(ours, theirs);
        EXPECT_EQ(ours.digest().count(), rows + mix.only_here + mix.only_there);
        EXPECT_EQ(outcome.bytes_in + outcome.bytes_out, link.bytes());
        EXPECT_EQ(outcome.messages_in + outcome.messages_out, link.messages());
        EXPECT_EQ(outcome.asked_again, 0U);
      }
    }
  }
}

struct Goal {
  Mix mix;
  std::size_t bytes_max;        // with names that share most of their letters
  std::size_t bytes_max_alien;  // with names that share nothing
};

// Of 100 000 rows here; the benchmark has a million.
TEST(Exchange, CostsWhatTheDifferenceCosts) {
  const std::vector<Goal> goals{
      {{0, 0, 0, 0}, 800, 800},       {{0, 1, 0, 0}, 1000, 1000},
      {{1, 0, 0, 0}, 1000, 1000},     {{5, 5, 0, 0}, 2500, 2500},
      {{25, 25, 25, 25}, 8000, 9000}, {{250, 250, 250, 250}, 65'000, 80'000}};
  for (const Goal& goal : goals) {
    for (const bool plain_names : {true, false}) {
      test::MemberBag ours({.cells = 16'384}), theirs({.cells = 16'384});
      differ(ours, theirs, 100'000, goal.mix, plain_names);
      test::SyncLink link(ours, theirs, {.cells_max = 16'384});
      const ExchangeOutcome& outcome = link.run();
      EXPECT_TRUE(outcome.converged());
      EXPECT_LE(link.bytes(), plain_names ? goal.bytes_max : goal.bytes_max_alien)
          << goal.mix.total();
      EXPECT_LE(outcome.round_trips, 5U);
    }
  }
}

TEST(Exchange, ColdStartEitherWay) {
  for (const bool here : {true, false}) {
    test::MemberBag ours({}), theirs({});
    fill(here ? ours : theirs, 0, 20'000);
    change(here ? theirs : ours, 5, 9);
    test::SyncLink link(ours, theirs, {});
    const ExchangeOutcome& outcome = link.run();
    EXPECT_TRUE(outcome.converged());
    EXPECT_GT(outcome.ranges, 0U);
    EXPECT_EQ(ours.digest().count(), 20'000U);
    // Little more than the rows themselves.
    EXPECT_LE(link.bytes(), 20'000U * 25) << here;
    expect_equal(ours, theirs);
  }
}

TEST(Exchange, DifferentPrefixes) {
  for (const auto& [here, there] :
       {std::pair{100U, 4096U}, {4096U, 100U}, {0U, 4096U}, {4096U, 0U}}) {
    test::MemberBag ours({.cells = here}), theirs({.cells = there});
    differ(ours, theirs, 5000, {60, 60, 60, 60}, true);
    EXPECT_TRUE(test::SyncLink(ours, theirs, {}).run().converged());
  }
}

TEST(Exchange, SmallRoom) {
  test::MemberBag ours({}), theirs({});
  differ(ours, theirs, 20'000, {100, 100, 100, 100}, false);
  EXPECT_TRUE(test::SyncLink(ours, theirs, {.room = sync_room_min}).run().converged());
}

TEST(Exchange, LossDuplicationAndReordering) {
  std::uint32_t asked_again = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const std::vector<Mix> mixes{
        {1, 0, 0, 0}, {10, 10, 10, 10}, {200, 200, 200, 200}, {0, 0, 4000, 4000}};
    test::MemberBag ours({}), theirs({});
    differ(ours, theirs, 6000, mixes[seed % mixes.size()], true);
    test::SyncLink link(ours, theirs, {}, {.loss = 0.05, .duplication = 0.1, .reordering = 0.2},
                        seed);
    const ExchangeOutcome& outcome = link.run();
    asked_again += outcome.asked_again;
    EXPECT_TRUE(outcome.converged()) << seed << " " << static_cast<int>(outcome.end);
    expect_equal(ours, theirs);
  }
  EXPECT_GT(asked_again, 0U);
}

// Half of all datagrams: it may take several exchanges, each of which ends.
TEST(Exchange, HeavyLossConvergesInTheEnd) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    test::MemberBag ours({}), theirs({});
    differ(ours, theirs, 3000, {50, 50, 50, 50}, true);
    test::SyncLink link(ours, theirs, {}, {.loss = 0.5}, seed);
    int exchanges = 0;
    while (!link.run().converged() && exchanges < 50) ++exchanges;
    EXPECT_LT(exchanges, 50) << seed;
    expect_equal(ours, theirs);
  }
}

// What one side calls dead the other has alive: the word spreads, and the exchange ends.
TEST(Exchange, DeadMembersAreNotRevived) {
  for (const bool here : {true, false}) {
    test::MemberBag ours({}), theirs({});
    fill(ours, 0, 1000);
    fill(theirs, 0, 1000);
    test::MemberBag& knows = here ? ours : theirs;
    test::MemberBag& told = here ? theirs : ours;
    std::string name;
    for (std::uint32_t i = 0; i < 20; ++i) {
      MemberRecord record = test::made_up_record(i, true, name);
      record.incarnation = Incarnation{1};
      record.state = i % 2 == 0 ? MemberState::dead : MemberState::left;
      knows.put(record);
    }
    test::SyncLink link(ours, theirs, {});
    const ExchangeOutcome& outcome = link.run();
    EXPECT_EQ(outcome.end, ExchangeEnd::differing);  // the suspicions run
    EXPECT_LE(link.bytes(), 30'000U);
    for (std::uint32_t i = 0; i < 20; ++i) {
      test::made_up_record(i, true, name);
      EXPECT_EQ(knows.find(hash_name(name), name)->state,
                i % 2 == 0 ? MemberState::dead : MemberState::left);
      EXPECT_EQ(told.find(hash_name(name), name)->state,
                i % 2 == 0 ? MemberState::suspect : MemberState::left);
    }
  }
}

TEST(Exchange, RowsMayChangeMeanwhile) {
  test::MemberBag ours({}), theirs({});
  differ(ours, theirs, 5000, {200, 200, 200, 200}, true);
  test::SyncLink link(ours, theirs, {});
  std::uint32_t number = 0;
  link.lie([&](const SyncMessage&) {
    if (number < 40) change(number % 2 == 0 ? ours : theirs, 4000 + number, 7);
    ++number;
    return false;
  });
  link.run();
  link.lie({});
  const ExchangeOutcome& outcome = link.run();
  EXPECT_TRUE(outcome.converged());
  expect_equal(ours, theirs);
}

TEST(Exchange, ASilentPeer) {
  test::MemberBag ours({}), theirs({});
  fill(ours, 0, 100);
  const ExchangeOptions options;
  test::SyncLink link(ours, theirs, options);
  link.lie([](const SyncMessage&) { return true; });
  const ExchangeOutcome& outcome = link.run();
  EXPECT_EQ(outcome.end, ExchangeEnd::silent);
  EXPECT_EQ(outcome.messages_out, options.asks_max);
  EXPECT_EQ(link.took(), options.answer_wait * options.asks_max);
  EXPECT_FALSE(link.exchange().next_due().has_value());
}

// Falls silent after any number of answers.
TEST(Exchange, APeerThatFallsSilent) {
  for (std::uint32_t answers = 0; answers < 60; answers += 3) {
    for (const Mix& mix : {Mix{200, 200, 0, 0}, Mix{0, 0, 0, 3000}}) {
      test::MemberBag ours({}), theirs({});
      differ(ours, theirs, 3000, mix, true);
      test::SyncLink link(ours, theirs, {});
      std::uint32_t asked = 0;
      link.lie([&](const SyncMessage&) { return asked++ >= answers; });
      const ExchangeOutcome& outcome = link.run();
      EXPECT_TRUE(outcome.end == ExchangeEnd::silent || outcome.converged());
      EXPECT_LE(link.took(), seconds(5));
    }
  }
}

TEST(Exchange, OtherKeysNeverAgree) {
  test::MemberBag ours({.key = as_bytes("one")}), theirs({.key = as_bytes("other")});
  fill(ours, 0, 2000);
  fill(theirs, 0, 2000);
  test::SyncLink link(ours, theirs, {});
  const ExchangeOutcome& outcome = link.run();
  EXPECT_EQ(outcome.end, ExchangeEnd::differing);
  EXPECT_LE(outcome.rounds, 4U);
}

// A peer that answers with random cells, sums, wants, pages and roots.
TEST(Exchange, LiarsCostBoundedWork) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    test::MemberBag ours({}), theirs({});
    differ(ours, theirs, 2000, {50, 50, 50, 50}, true);
    const ExchangeOptions options{.deadline = seconds(20), .messages_max = 3000};
    test::SyncLink link(ours, theirs, options);
    Rng rng(seed);
    link.lie([&](const SyncMessage& asked) {
      if (rng.chance(0.3)) return false;
      const SyncHeader header{.exchange = asked.header.exchange, .from_responder = true};
      for (std::uint32_t i = rng.below(8U); i > 0; --i) {
        std::array<std::byte, 1400> room;
        std::array<std::byte, 832> noise;
        rng.fill(noise);
        if (rng.chance(0.3)) noise.fill(std::byte{0xff});
        Writer out(room);
        switch (rng.below(7U)) {
          case 0:
            encode(header,
                   SyncDiffering{.root = 1,
                                 .count = rng.chance(0.5) ? 2000U : 4'000'000'000U,
                                 .cells_held = 1U << rng.below(32U),
                                 .fold_log2 = 9,
                                 .buckets = 512,
                                 .bitmap = Bytes(noise).first(64),
                                 .cells = SyncCells(Bytes(noise).first(13 * rng.below(64U)))},
                   out);
            break;
          case 1:
            encode(header,
                   SyncCellsPart{
                       .root = 1, .first = rng.below(5000U), .cells = SyncCells(Bytes(noise))},
                   out);
            break;
          case 2:
            encode(
                header,
                SyncWant{.last = rng.chance(0.5), .symbols = SyncSymbols(Bytes(noise).first(512))},
                out);
            break;
          case 3:
            encode(header, SyncFinished{static_cast<std::uint8_t>(rng.below(4U)), rng.next(), 5},
                   out);
            break;
          case 4:
            encode(header, SyncRecords{.flags = SyncRecords::flag_last, .records = Bytes(noise)},
                   out);
            break;
          case 5:
            if (const auto* const range = std::get_if<SyncRangeWanted>(&asked.body)) {
              encode(header,
                     SyncRecords{.flags = SyncRecords::flag_range,
                                 .range = {range->first_bucket, range->buckets, range->page, 65535,
                                           rng.next()},
                                 .records = Bytes(noise).first(100)},
                     out);
            }
            break;
          default:
            encode(header,
                   SyncDiffering{.root = 1,
                                 .count = 2000,
                                 .cells_held = 65536,
                                 .fold_log2 = 12,
                                 .first_bucket = static_cast<std::uint16_t>(512 * rng.below(8U)),
                                 .buckets = 512,
                                 .bitmap = Bytes(noise).first(64)},
                   out);
        }
        if (out.size() > 0) link.send_to_initiator(out.written());
      }
      return true;
    });
    const ExchangeOutcome& outcome = link.run();
    EXPECT_NE(outcome.end, ExchangeEnd::running);
    EXPECT_LE(link.took(), options.deadline + options.answer_wait);
    EXPECT_LE(outcome.messages_out, 20'000U);
    // Nothing is left over: an honest exchange works.
    link.lie({});
    EXPECT_TRUE(link.run().converged()) << seed;
  }
}

TEST(Exchange, TheDeadlineHolds) {
  test::MemberBag ours({}), theirs({});
  differ(ours, theirs, 3000, {300, 300, 0, 0}, true);
  test::SyncLink link(ours, theirs, {.deadline = milliseconds(3)});
  EXPECT_EQ(link.run().end, ExchangeEnd::overrun);
  EXPECT_LE(link.took(), milliseconds(4));
}

TEST(Exchange, StrangersAreIgnored) {
  test::MemberBag ours({}), theirs({});
  fill(ours, 0, 10);
  test::ArenaBlock block(Exchange::footprint({}) + cache_line_bytes);
  Exchange exchange(block.arena(), {});
  const Endpoint peer{IpAddress::v4(1, 1, 1, 1), 1}, stranger{IpAddress::v4(1, 1, 1, 1), 2};
  ours.on_send([](const Endpoint&, Bytes) {});
  exchange.begin(Instant{}, ExchangeId{9}, peer, ours);
  const SyncFinished same{0, ours.digest().root().sum, 10};
  exchange.on_message(Instant{}, stranger, {{ExchangeId{9}, true}, same}, 10, ours);
  exchange.on_message(Instant{}, peer, {{ExchangeId{8}, true}, same}, 10, ours);
  exchange.on_message(Instant{}, peer, {{ExchangeId{9}, false}, same}, 10, ours);
  EXPECT_TRUE(exchange.running());
  EXPECT_EQ(exchange.outcome().messages_in, 0U);
  exchange.on_message(Instant{}, peer, {{ExchangeId{9}, true}, same}, 10, ours);
  EXPECT_TRUE(exchange.outcome().converged());
}

}  // namespace
}  // namespace starling
