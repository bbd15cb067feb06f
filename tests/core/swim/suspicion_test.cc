#include "core/swim/suspicion.h"

#include <gtest/gtest.h>

#include "core/base/rng.h"
#include "core/swim/scaling.h"
#include "tests/support/alloc_counter.h"
#include "tests/support/arena_block.h"

namespace starling {
namespace {

using namespace std::chrono_literals;

constexpr Instant start = Instant{} + 100s;
constexpr Slot member{3};
constexpr SuspicionTiming lan{.min = 4s, .max = 24s, .confirmations_needed = 2};

struct SuspicionFixture {
  explicit SuspicionFixture(std::uint32_t members_max)
      : block(Suspicions::footprint(members_max)), suspicions(block.arena(), members_max) {}
  test::ArenaBlock block;
  Suspicions suspicions;
};

TEST(Suspicion, EachNewAccuserBringsTheEndCloser) {
  SuspicionFixture f(8);
  Suspicions& s = f.suspicions;
  EXPECT_FALSE(s.running(member));
  EXPECT_EQ(s.start(member, start, lan, NameHash{1}), start + 24s);
  EXPECT_EQ(s.ends(member), start + 24s);
  EXPECT_TRUE(s.running(member));
  EXPECT_EQ(s.started(member), start);
  EXPECT_EQ(s.confirmations(member), 0u);

  EXPECT_FALSE(s.confirm(member, start + 1s, NameHash{1}));  // started it
  EXPECT_EQ(s.confirm(member, start + 1s, NameHash{2}), start + 11'381ms);
  EXPECT_EQ(s.ends(member), start + 11'381ms);
  EXPECT_FALSE(s.confirm(member, start + 2s, NameHash{2}));
  EXPECT_EQ(s.confirm(member, start + 2s, NameHash{3}), start + 4s);
  EXPECT_FALSE(s.confirm(member, start + 2s, NameHash{4}));  // enough have been heard
  EXPECT_EQ(s.confirmations(member), 2u);
  EXPECT_EQ(s.confirmations_needed(member), 2u);
  EXPECT_EQ(s.ends(member), start + 4s);
  const auto accusers = s.accusers(member);
  EXPECT_EQ(std::vector(accusers.begin(), accusers.end()),
            (std::vector{NameHash{1}, NameHash{2}, NameHash{3}}));
}

TEST(Suspicion, AConfirmationAfterTheNewEndEndsItNow) {
  SuspicionFixture f(8);
  f.suspicions.start(member, start, lan, NameHash{1});
  EXPECT_EQ(f.suspicions.confirm(member, start + 20s, NameHash{2}), start + 20s);
}

TEST(Suspicion, WithoutNeedOfConfirmationItEndsAfterTheMinimum) {
  SuspicionFixture f(8);
  EXPECT_EQ(f.suspicions.start(member, start, {.min = 4s, .max = 24s}, NameHash{1}), start + 4s);
  EXPECT_FALSE(f.suspicions.confirm(member, start, NameHash{2}));
  EXPECT_EQ(f.suspicions.ends(member), start + 4s);
}

TEST(Suspicion, EndsAreThoseOfTheFormula) {
  for (std::uint32_t needed = 1; needed <= Suspicions::confirmers_max; ++needed) {
    SuspicionFixture f(8);
    const SuspicionTiming timing{.min = 3s, .max = 18s, .confirmations_needed = needed};
    f.suspicions.start(member, start, timing, NameHash{0});
    for (std::uint32_t heard = 1; heard <= needed; ++heard) {
      const Duration timeout = suspicion_remaining(
          {.confirmations = heard, .confirmations_needed = needed, .min = 3s, .max = 18s});
      EXPECT_EQ(f.suspicions.confirm(member, start + 1s, NameHash{heard}), start + timeout);
    }
    EXPECT_FALSE(f.suspicions.confirm(member, start + 1s, NameHash{99}));
  }
}

TEST(Suspicion, MoreAccusersThanKeptAreCut) {
  SuspicionFixture f(8);
  f.suspicions.start(member, start, {.min = 1s, .max = 6s, .confirmations_needed = 50},
                     NameHash{0});
  std::uint32_t heard = 0;
  while (f.suspicions.confirm(member, start, NameHash{heard + 1})) ++heard;
  EXPECT_EQ(heard, Suspicions::confirmers_max);
}

TEST(Suspicion, ForgettingMakesRoomForANewStart) {
  SuspicionFixture f(2);
  Suspicions& s = f.suspicions;
  s.forget(Slot{0});
  const test::AllocationCounter allocations;
  Rng rng(1);
  std::array<bool, 2> running{};
  for (int step = 0; step < 1000; ++step) {
    const std::size_t i = rng.below(running.size());
    const Slot slot{static_cast<std::uint32_t>(i)};
    ASSERT_EQ(s.running(slot), running[i]);
    if (running[i]) {
      ASSERT_EQ(s.confirmations(slot), 1u);
      s.forget(slot);
    } else {
      s.start(slot, start + step * 1s, lan, NameHash{i});
      ASSERT_TRUE(s.confirm(slot, start + step * 1s, NameHash{7}));
      ASSERT_EQ(s.started(slot), start + step * 1s);
    }
    running[i] = !running[i];
    ASSERT_EQ(s.size(), static_cast<std::uint32_t>(running[0]) + running[1]);
  }
  EXPECT_EQ(allocations.count(), 0u);
}

}  // namespace
}  // namespace starling
