#include "core/swim/peer_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "tests/support/alloc_counter.h"
#include "tests/support/arena_block.h"

namespace starling {
namespace {

struct Peers {
  explicit Peers(std::uint32_t members_max)
      : block(PeerList::footprint(members_max)), list(block.arena(), members_max) {}
  void fill(Rng& rng, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) list.insert(rng, Slot{i});
  }
  test::ArenaBlock block;
  PeerList list;
};

constexpr auto nobody = [](Slot) { return false; };

TEST(PeerList, ANewMemberSwapsWithAnyEarlierPlaceEquallyOften) {
  Rng rng(1);
  std::array<int, 4> place{};
  for (int round = 0; round < 8000; ++round) {
    Peers peers(4);
    peers.fill(rng, 4);
    // Appended, then swapped with one of the three before it: never last.
    for (std::uint32_t i = 0; i < 4; ++i) place.at(i) += peers.list.at(i) == Slot{3} ? 1 : 0;
  }
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(place[i], 8000 / 3, 250);
  EXPECT_EQ(place[3], 0);
}

TEST(PeerList, ASweepRemovesWhoIsGoneInPortions) {
  for (const std::uint32_t budget : {1u, 7u, 50u, 100u, 1000u}) {
    Rng rng(2);
    Peers peers(100);
    peers.fill(rng, 100);
    const auto odd = [](Slot slot) { return to_number(slot) % 2 == 1; };
    EXPECT_FALSE(peers.list.sweeping());
    EXPECT_EQ(peers.list.sweep(budget, odd), 0u) << "nothing to do before it starts";
    peers.list.start_sweep();
    std::uint32_t removed = 0, asked = 0, portions = 0;
    while (peers.list.sweeping()) {
      ++portions;
      removed += peers.list.sweep(budget, [&](Slot slot) {
        ++asked;
        return odd(slot);
      });
    }
    EXPECT_EQ(removed, 50u);
    EXPECT_EQ(asked, 100u);
    EXPECT_EQ(portions, (100 + budget - 1) / budget);
    std::set<Slot> left(peers.list.all().begin(), peers.list.all().end());
    EXPECT_EQ(left.size(), 50u);
    EXPECT_EQ(peers.list.size(), 50u);
    EXPECT_TRUE(std::ranges::none_of(left, odd));
    peers.list.start_sweep();
    EXPECT_EQ(peers.list.sweep(100, [](Slot) { return true; }), 50u);
    EXPECT_TRUE(peers.list.empty());
    peers.list.start_sweep();
    EXPECT_FALSE(peers.list.sweeping());
  }
}

TEST(PeerList, SamplesAreDistinctAcceptableAndUniform) {
  // Below three times the wish a shuffled copy is used, above it draws.
  for (const std::uint32_t members : {1u, 3u, 8u, 9u, 40u}) {
    Rng rng(members);
    Peers peers(members);
    peers.fill(rng, members);
    const auto excluded = [&](Slot slot) { return slot == Slot{0}; };
    std::map<std::uint32_t, int> drawn;
    std::size_t total = 0;
    constexpr int rounds = 4000;
    for (int round = 0; round < rounds; ++round) {
      std::array<Slot, 3> out{};
      const std::size_t found = peers.list.sample(rng, out, excluded);
      std::set<Slot> distinct(out.begin(), out.begin() + static_cast<long>(found));
      ASSERT_EQ(distinct.size(), found);
      ASSERT_FALSE(distinct.contains(Slot{0}));
      for (const Slot slot : distinct) ++drawn[to_number(slot)];
      total += found;
    }
    if (members < 9) {
      EXPECT_EQ(total, rounds * std::min<std::size_t>(3, members - 1));
    } else {
      EXPECT_GT(total, rounds * 299u / 100);
    }
    EXPECT_EQ(drawn.size(), members - 1);
    const double expected = static_cast<double>(total) / (members - 1);
    for (const auto& [slot, count] : drawn) {
      EXPECT_NEAR(count, expected, 6 * std::sqrt(expected)) << members << " " << slot;
    }
  }
}

TEST(PeerList, SamplingGivesUpWhenNobodyIsAcceptable) {
  Rng rng(5);
  Peers peers(100);
  std::array<Slot, 3> out{};
  EXPECT_EQ(peers.list.sample(rng, out, nobody), 0u);
  peers.fill(rng, 100);
  int asked = 0;
  EXPECT_EQ(peers.list.sample(rng, out,
                              [&](Slot) {
                                ++asked;
                                return true;
                              }),
            0u);
  EXPECT_EQ(asked, 300);
  EXPECT_EQ(peers.list.sample(rng, {}, nobody), 0u);
}

TEST(PeerList, ALongListIsDrawnFromABoundedNumberOfTimes) {
  Rng rng(5);
  Peers peers(20'000);
  peers.fill(rng, 20'000);
  std::array<Slot, 3> out{};
  std::uint32_t asked = 0;
  const auto count_and_exclude = [&](Slot) { return ++asked > 0; };
  EXPECT_EQ(peers.list.sample(rng, out, count_and_exclude), 0u);
  EXPECT_EQ(asked, PeerList::draws_max);
}

TEST(PeerList, AllocatesNothing) {
  Rng rng(6);
  Peers peers(100);
  std::array<Slot, 64> out{};
  const test::AllocationCounter allocations;
  peers.fill(rng, 100);
  peers.list.sample(rng, out, nobody);
  peers.list.sample(rng, std::span(out).first(3), nobody);
  peers.list.next(rng, nobody, [] {});
  peers.list.start_sweep();
  peers.list.sweep(100, [](Slot) { return true; });
  EXPECT_EQ(allocations.count(), 0u);
}

TEST(PeerListTurns, VisitsEveryAcceptableMemberOncePerRound) {
  Rng rng(7);
  Peers peers(20);
  peers.fill(rng, 20);
  const auto skip = [](Slot slot) { return to_number(slot) % 4 == 0; };
  int wraps = 0;
  std::set<std::vector<Slot>> orders;
  for (int round = 0; round < 5; ++round) {
    std::set<Slot> seen;
    std::vector<Slot> order;
    for (int i = 0; i < 15; ++i) {
      const std::optional<Slot> next = peers.list.next(rng, skip, [&] { ++wraps; });
      ASSERT_TRUE(next);
      ASSERT_FALSE(skip(*next));
      ASSERT_TRUE(seen.insert(*next).second);
      order.push_back(*next);
    }
    orders.insert(order);
  }
  EXPECT_EQ(wraps, 4);
  EXPECT_EQ(orders.size(), 5u) << "each round has its own order";
}

TEST(PeerListTurns, EveryOrderIsEquallyLikely) {
  Rng rng(10);
  Peers peers(4);
  peers.fill(rng, 4);
  std::map<std::vector<Slot>, int> orders;
  constexpr int rounds = 24'000;
  for (int round = 0; round < rounds; ++round) {
    std::vector<Slot> order;
    // The wrap is one of the four checks of a call, but each call finds somebody at once.
    for (int i = 0; i < 4; ++i) order.push_back(peers.list.next(rng, nobody, [] {}).value());
    ++orders[order];
  }
  EXPECT_EQ(orders.size(), 24u);
  for (const auto& [order, count] : orders) EXPECT_NEAR(count, rounds / 24, 6 * std::sqrt(1000.0));
}

TEST(PeerListTurns, CountsTheWrapAsOneCheckAndGivesUpAfterOneRound) {
  Rng rng(8);
  Peers peers(4);
  int wraps = 0, skips = 0;
  const auto wrap = [&] { ++wraps; };
  const auto skip_all = [&](Slot) {
    ++skips;
    return true;
  };
  EXPECT_FALSE(peers.list.next(rng, skip_all, wrap));
  EXPECT_EQ(wraps, 0);
  peers.fill(rng, 4);
  EXPECT_FALSE(peers.list.next(rng, skip_all, wrap));
  EXPECT_EQ(skips, 4);
  EXPECT_EQ(wraps, 0);
  // At the end of the round now: the wrap uses up one of the four checks.
  EXPECT_FALSE(peers.list.next(rng, skip_all, wrap));
  EXPECT_EQ(wraps, 1);
  EXPECT_EQ(skips, 7);
}

TEST(PeerListTurns, AMillionDeadDoNotHoldATurnUpAndAreAllPassed) {
  Rng rng(11);
  Peers peers(20'000);
  peers.fill(rng, 20'000);
  const auto skip = [](Slot slot) { return slot != Slot{123}; };
  int calls = 0, found = 0;
  for (; calls < 10 * (20'000 / 4096 + 1) && found < 2; ++calls) {
    found += peers.list.next(rng, skip, [] {}).has_value() ? 1 : 0;
  }
  EXPECT_EQ(found, 2);
  EXPECT_GT(calls, 2);
}

TEST(PeerListTurns, SurviveAWrapThatReapsEverybody) {
  Rng rng(9);
  Peers peers(3);
  peers.fill(rng, 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(peers.list.next(rng, nobody, [] {}));
  const auto reap = [&] {
    peers.list.start_sweep();
    peers.list.sweep(3, [](Slot) { return true; });
  };
  EXPECT_FALSE(peers.list.next(rng, nobody, reap));
  EXPECT_TRUE(peers.list.empty());
}

// Whoever is removed, and wherever in a round the sweep runs: the others have one turn each.
TEST(PeerListTurns, ASweepCostsNobodyATurnAndGivesNobodyTwo) {
  for (std::uint32_t turns_before = 0; turns_before <= 8; ++turns_before) {
    for (std::uint32_t gone = 0; gone < 256; ++gone) {
      Rng rng(gone);
      Peers peers(8);
      peers.fill(rng, 8);
      const auto is_gone = [&](Slot slot) { return (gone >> to_number(slot) & 1) != 0; };
      std::map<Slot, int> turns;
      for (std::uint32_t i = 0; i < turns_before; ++i) {
        ++turns[peers.list.next(rng, nobody, [] {}).value()];
      }
      peers.list.start_sweep();
      while (peers.list.sweeping()) peers.list.sweep(3, is_gone);
      while (peers.list.turns_had() < peers.list.size()) {
        const Slot slot = peers.list.next(rng, nobody, [] {}).value();
        ASSERT_FALSE(is_gone(slot));
        ++turns[slot];
      }
      for (std::uint32_t i = 0; i < 8; ++i) {
        if (!is_gone(Slot{i})) {
          ASSERT_EQ(turns[Slot{i}], 1) << turns_before << " " << gone;
        }
      }
    }
  }
}

}  // namespace
}  // namespace starling
