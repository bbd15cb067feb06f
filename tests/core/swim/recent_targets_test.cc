#include "core/swim/recent_targets.h"

#include <gtest/gtest.h>

namespace starling {
namespace {

TEST(RecentTargets, AreRememberedUpToTheWantedNumber) {
  RecentTargets recent;
  EXPECT_FALSE(recent.contains(Slot{0})) << "nobody yet";
  for (std::uint32_t i = 0; i < 5; ++i) recent.add(Slot{i});
  EXPECT_EQ(recent.at(0), Slot{4});
  EXPECT_EQ(recent.at(4), Slot{0});
  recent.keep(3);
  EXPECT_EQ(recent.size(), 3u);
  EXPECT_TRUE(recent.contains(Slot{2}));
  EXPECT_FALSE(recent.contains(Slot{1}));
  recent.keep(100);
  EXPECT_EQ(recent.size(), 3u) << "the forgotten do not come back";
}

TEST(RecentTargets, TheOldestGoWhenThereIsNoRoom) {
  RecentTargets recent;
  for (std::uint32_t i = 0; i < 40; ++i) recent.add(Slot{i});
  EXPECT_EQ(recent.size(), RecentTargets::slots_max);
  EXPECT_TRUE(recent.contains(Slot{39}));
  EXPECT_TRUE(recent.contains(Slot{40 - RecentTargets::slots_max}));
  EXPECT_FALSE(recent.contains(Slot{39 - RecentTargets::slots_max}));
}

}  // namespace
}  // namespace starling
