#include "core/digest/range_window.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/base/rng.h"
#include "tests/support/arena_block.h"

namespace starling {
namespace {

struct Window {
  test::ArenaBlock block{RangeWindow::footprint() + cache_line_bytes};
  RangeWindow window{block.arena()};
};

TEST(RangeWindow, HoldsSoManyRanges) {
  Window one;
  for (std::uint16_t i = 0; i < ranges_max; ++i) ASSERT_NE(one.window.open(Bucket{i}, 1), nullptr);
  EXPECT_EQ(one.window.open(Bucket{99}, 1), nullptr);
  EXPECT_EQ(one.window.find(Bucket{3}, 2), nullptr);
  RangeSlot* const slot = one.window.find(Bucket{3}, 1);
  ASSERT_NE(slot, nullptr);
  one.window.close(*slot);
  EXPECT_EQ(one.window.find(Bucket{3}, 1), nullptr);
  EXPECT_EQ(one.window.open(Bucket{99}, 1), slot);
  EXPECT_FALSE(one.window.empty());
  one.window.clear();
  EXPECT_TRUE(one.window.empty());
}

TEST(RangeWindow, IsCompleteWhenAllPagesCame) {
  for (std::uint32_t pages = 1; pages <= range_pages_max; ++pages) {
    RangeSlot slot;
    EXPECT_FALSE(slot.complete());
    slot.pages = pages;
    for (std::uint32_t page = 0; page < pages; ++page) {
      EXPECT_FALSE(slot.complete());
      slot.pages_come |= std::uint64_t{1} << page;
    }
    EXPECT_TRUE(slot.complete());
  }
}

TEST(RangeWindow, RemembersNames) {
  Window one;
  RangeSlot& slot = *one.window.open(Bucket{0}, 1);
  Rng rng(1);
  std::vector<NameHash> names(RangeSlot::fingerprints_max), others(1000);
  for (NameHash& name : names) name = NameHash{rng.next()};
  for (NameHash& name : others) name = NameHash{rng.next()};
  for (const NameHash name : names) RangeWindow::saw(slot, name);
  for (const NameHash name : names) RangeWindow::saw(slot, name);
  for (const NameHash name : names) EXPECT_TRUE(RangeWindow::has_seen(slot, name));
  for (const NameHash name : others) EXPECT_FALSE(RangeWindow::has_seen(slot, name));
  // Full: more are forgotten, and looking still ends.
  for (const NameHash name : others) RangeWindow::saw(slot, name);
  for (const NameHash name : others) EXPECT_FALSE(RangeWindow::has_seen(slot, name));
  one.window.close(slot);
  RangeSlot& again = *one.window.open(Bucket{0}, 1);
  for (const NameHash name : names) EXPECT_FALSE(RangeWindow::has_seen(again, name));
}

}  // namespace
}  // namespace starling
