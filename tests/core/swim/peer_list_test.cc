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

TEST(PeerList, RemovesInOrder) {
  Rng rng(2);
  Peers peers(100);
  peers.fill(rng, 100);
  std::vector<Slot> expected(peers.list.all().begin(), peers.list.all().end());
  const auto odd = [](Slot slot) { return to_number(slot) % 2 == 1; };
  std::erase_if(expected, odd);
  EXPECT_EQ(peers.list.remove_if(odd), 50u);
  EXPECT_TRUE(std::ranges::equal(peers.list.all(), expected));
  EXPECT_EQ(peers.list.remove_if(odd), 0u);
  peers.list.remove_if([](Slot) { return true; });
  EXPECT_TRUE(peers.list.empty());
}

TEST(PeerList, ShuffleKeepsEverybody) {
  Rng rng(3);
  Peers peers(50);
  peers.fill(rng, 50);
  const std::vector<Slot> before(peers.list.all().begin(), peers.list.all().end());
  peers.list.shuffle(rng);
  const std::vector<Slot> after(peers.list.all().begin(), peers.list.all().end());
  EXPECT_NE(before, after);
  EXPECT_TRUE(std::ranges::is_permutation(before, after));
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

TEST(PeerList, AllocatesNothing) {
  Rng rng(6);
  Peers peers(100);
  std::array<Slot, 64> out{};
  const test::AllocationCounter allocations;
  peers.fill(rng, 100);
  peers.list.sample(rng, out, nobody);
  peers.list.sample(rng, std::span(out).first(3), nobody);
  peers.list.shuffle(rng);
  EXPECT_EQ(allocations.count(), 0u);
}

TEST(ProbeWalk, VisitsEveryAcceptableMemberOncePerRound) {
  Rng rng(7);
  Peers peers(20);
  peers.fill(rng, 20);
  ProbeWalk walk;
  const auto skip = [](Slot slot) { return to_number(slot) % 4 == 0; };
  int wraps = 0;
  for (int round = 0; round < 5; ++round) {
    std::set<Slot> seen;
    for (int i = 0; i < 15; ++i) {
      const std::optional<Slot> next = walk.next(peers.list, skip, [&] {
        ++wraps;
        peers.list.shuffle(rng);
      });
      ASSERT_TRUE(next);
      ASSERT_FALSE(skip(*next));
      ASSERT_TRUE(seen.insert(*next).second);
    }
  }
  EXPECT_EQ(wraps, 4);
}

TEST(ProbeWalk, CountsTheWrapAsOneCheckAndGivesUpAfterOneRound) {
  Rng rng(8);
  Peers peers(4);
  ProbeWalk walk;
  int wraps = 0, skips = 0;
  const auto wrap = [&] { ++wraps; };
  const auto skip_all = [&](Slot) {
    ++skips;
    return true;
  };
  EXPECT_FALSE(walk.next(peers.list, skip_all, wrap));
  EXPECT_EQ(wraps, 0);
  peers.fill(rng, 4);
  EXPECT_FALSE(walk.next(peers.list, skip_all, wrap));
  EXPECT_EQ(skips, 4);
  EXPECT_EQ(wraps, 0);
  // At the end of the list now: the wrap uses up one of the four checks.
  EXPECT_FALSE(walk.next(peers.list, skip_all, wrap));
  EXPECT_EQ(wraps, 1);
  EXPECT_EQ(skips, 7);
}

TEST(ProbeWalk, SurvivesAWrapThatReapsEverybody) {
  Rng rng(9);
  Peers peers(3);
  peers.fill(rng, 3);
  ProbeWalk walk;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(walk.next(peers.list, nobody, [] {}));
  }
  const auto reap = [&] { peers.list.remove_if([](Slot) { return true; }); };
  EXPECT_FALSE(walk.next(peers.list, nobody, reap));
  EXPECT_TRUE(peers.list.empty());
}

}  // namespace
}  // namespace starling
