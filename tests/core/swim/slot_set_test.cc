#include "core/swim/slot_set.h"

#include <gtest/gtest.h>

#include <set>

#include "core/base/rng.h"
#include "tests/support/arena_block.h"

namespace starling {
namespace {

TEST(SlotSet, GivesTheLowestFreeSlotUntilFull) {
  for (const std::uint32_t slots_max : {1u, 63u, 64u, 65u, 128u, 4096u, 5000u}) {
    test::ArenaBlock block(SlotSet::footprint(slots_max));
    SlotSet slots(block.arena(), slots_max);
    for (std::uint32_t i = 0; i < slots_max; ++i) {
      ASSERT_EQ(slots.lowest_free(), Slot{i});
      slots.insert(Slot{i});
    }
    EXPECT_EQ(slots.lowest_free(), no_slot);
    EXPECT_FALSE(slots.contains(Slot{slots_max}));
    EXPECT_FALSE(slots.contains(no_slot));
    slots.erase(Slot{slots_max / 2});
    EXPECT_EQ(slots.lowest_free(), Slot{slots_max / 2});
  }
}

TEST(SlotSet, AgreesWithASetUnderRandomUse) {
  Rng rng(1);
  constexpr std::uint32_t slots_max = 9000;
  test::ArenaBlock block(SlotSet::footprint(slots_max));
  SlotSet slots(block.arena(), slots_max);
  std::set<std::uint32_t> free;
  for (std::uint32_t i = 0; i < slots_max; ++i) free.insert(i);
  for (int step = 0; step < 60'000; ++step) {
    const bool fill = step < 20'000 || rng.chance(0.5);
    const std::uint32_t any = rng.below(slots_max);
    ASSERT_EQ(slots.contains(Slot{any}), !free.contains(any));
    const Slot lowest = slots.lowest_free();
    ASSERT_EQ(lowest, free.empty() ? no_slot : Slot{*free.begin()});
    if (fill && lowest != no_slot) {
      slots.insert(lowest);
      free.erase(free.begin());
    } else if (!free.contains(any)) {
      slots.erase(Slot{any});
      free.insert(any);
    }
  }
}

}  // namespace
}  // namespace starling
