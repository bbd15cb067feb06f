#include "core/base/instant_column.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/base/rng.h"
#include "tests/support/arena_block.h"

namespace starling {
namespace {

using namespace std::chrono_literals;

struct Column {
  explicit Column(std::uint32_t rows)
      : block(InstantColumn::footprint(rows)), column(block.arena(), rows) {}
  test::ArenaBlock block;
  InstantColumn column;
};

TEST(InstantColumn, UnwrittenAndClearedRowsReadAsTheStart) {
  Column c(2);
  EXPECT_EQ(c.column.at(0), Instant{});
  c.column.set(0, Instant{} + 5s);
  c.column.clear(0);
  EXPECT_EQ(c.column.at(0), Instant{});
  c.column.set(1, Instant{});
  EXPECT_EQ(c.column.at(1), Instant{});
  c.column.set(1, Instant{} - 3s);
  EXPECT_EQ(c.column.at(1), Instant{});
}

TEST(InstantColumn, WholeSecondsAreExactAndTheRestRoundsUpByLessThanATick) {
  Column c(1);
  Rng rng(1);
  for (int round = 0; round < 10'000; ++round) {
    const Instant second = Instant{} + std::chrono::seconds(rng.below(36'000'000));
    c.column.set(0, second);
    ASSERT_EQ(c.column.at(0), second);
    const Instant any = Instant{} + Duration(static_cast<std::int64_t>(rng.below(1ull << 55)) + 1);
    c.column.set(0, any);
    ASSERT_GE(c.column.at(0), any);
    ASSERT_LT(c.column.at(0) - any, InstantColumn::tick);
  }
}

TEST(InstantColumn, KeepsTheOrderOfInstantsATickApart) {
  Column c(2);
  Rng rng(2);
  for (int round = 0; round < 10'000; ++round) {
    const Instant first =
        Instant{} + Duration(static_cast<std::int64_t>(rng.below(1ull << 50)) + 1);
    c.column.set(0, first);
    c.column.set(1, first + InstantColumn::tick);
    ASSERT_LT(c.column.at(0), c.column.at(1));
  }
}

// The counter wraps after 2.1 years; rows written around the wrap must not notice, nor later ones.
TEST(InstantColumn, GoesOnForDecades) {
  Column c(3);
  constexpr Duration wrap = InstantColumn::tick * (1ll << 32);
  static_assert(wrap > std::chrono::hours(24 * 365 * 2));
  for (int year = 0; year < 30; ++year) {
    for (int step = -3; step <= 3; ++step) {
      const Instant now = Instant{} + wrap * (year + 1) + InstantColumn::tick * step;
      c.column.set(0, now - 48h);
      c.column.set(1, now - 1s);
      c.column.set(2, now);
      ASSERT_EQ(c.column.at(0), now - 48h);
      ASSERT_EQ(c.column.at(1), now - 1s);
      const Duration late = c.column.at(2) - now;
      ASSERT_EQ(late, step == 0 ? InstantColumn::tick : Duration::zero());
    }
  }
}

}  // namespace
}  // namespace starling
