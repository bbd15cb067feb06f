#include "core/base/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

namespace starling {
namespace {

TEST(Rng, FollowsThePublishedGenerators) {
  // First outputs of splitmix64(0) are the well-known state; the sum is one step of xoshiro256++.
  constexpr std::array<std::uint64_t, 4> state{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4,
                                               0x06c45d188009454f, 0xf88bb8a8724c81ec};
  Rng rng(0);
  EXPECT_EQ(rng.next(), std::rotl(state[0] + state[3], 23) + state[0]);
}

TEST(Rng, TheSameSeedGivesTheSameRunAndAnotherSeedAnother) {
  Rng a(1), b(1), c(2);
  bool differs = false;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t value = a.next();
    EXPECT_EQ(value, b.next());
    differs |= value != c.next();
  }
  EXPECT_TRUE(differs);
}

TEST(Rng, BelowIsUniformAndInRange) {
  Rng rng(3);
  for (const std::uint64_t bound : {1ull, 2ull, 3ull, 7ull, 100ull}) {
    std::vector<int> counts(bound);
    const int draws = 20'000;
    for (int i = 0; i < draws; ++i) ++counts.at(rng.below(bound));
    const double expected = draws / static_cast<double>(bound);
    for (const int count : counts) {
      EXPECT_NEAR(count, expected, 6 * std::sqrt(expected) + 1);
    }
  }
  const std::uint64_t high = ~0ull - 1;
  for (int i = 0; i < 1000; ++i) EXPECT_LT(rng.below(high), high);
  EXPECT_EQ(rng.below(1u), 0u);
}

TEST(Rng, BelowHasNoBiasForHugeBounds) {
  // With bound 3 * 2^62 a plain modulo would hit the first third half of the time.
  Rng rng(4);
  const std::uint64_t third = 1ull << 62;
  int first = 0;
  for (int i = 0; i < 30'000; ++i) first += rng.below(3 * third) < third ? 1 : 0;
  EXPECT_NEAR(first, 10'000, 500);
}

TEST(Rng, UniformAndChance) {
  Rng rng(5);
  double sum = 0;
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double value = rng.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
    hits += rng.chance(0.25) ? 1 : 0;
    EXPECT_FALSE(rng.chance(0));
    EXPECT_TRUE(rng.chance(1));
  }
  EXPECT_NEAR(sum, 5000, 200);
  EXPECT_NEAR(hits, 2500, 250);
}

TEST(Rng, ShuffleReachesEveryPermutationEquallyOften) {
  Rng rng(6);
  std::array<int, 24> counts{};
  for (int i = 0; i < 24'000; ++i) {
    std::array<int, 4> items{0, 1, 2, 3};
    rng.shuffle(std::span(items));
    std::array<int, 4> probe{0, 1, 2, 3};
    std::size_t rank = 0;
    while (probe != items) {
      std::next_permutation(probe.begin(), probe.end());
      ++rank;
    }
    ++counts.at(rank);
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 200);
  std::span<int> nothing;
  rng.shuffle(nothing);
}

TEST(Rng, FillCoversEveryByte) {
  Rng rng(7);
  for (std::size_t size = 0; size < 40; ++size) {
    std::vector<std::byte> seen(size, std::byte{0});
    for (int round = 0; round < 20; ++round) {
      std::vector<std::byte> bytes(size, std::byte{0});
      rng.fill(bytes);
      for (std::size_t i = 0; i < size; ++i) seen[i] |= bytes[i];
    }
    for (const std::byte byte : seen) EXPECT_NE(byte, std::byte{0});
  }
}

}  // namespace
}  // namespace starling
