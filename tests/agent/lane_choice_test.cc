#include "agent/lane_choice.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

TEST(LaneChoice, CountsLanes) {
  EXPECT_EQ(lane_count("1", 8), 1u);
  EXPECT_EQ(lane_count("32", 8), 32u);
  EXPECT_EQ(lane_count("auto", 8), 8u);
  EXPECT_EQ(lane_count("auto", 0), 1u);
  EXPECT_EQ(lane_count("auto", 500), 32u);
  for (const char* wrong : {"", "0", "33", "two", "2x", "-1", " 2", "Auto"}) {
    EXPECT_EQ(lane_count(wrong, 8), std::nullopt) << wrong;
  }
}

TEST(LaneChoice, NamesWaitModes) {
  EXPECT_EQ(wait_mode_from("block"), Duration::zero());
  EXPECT_EQ(wait_mode_from("adaptive"), std::chrono::microseconds(50));
  EXPECT_EQ(wait_mode_from("busy"), Duration::max());
  EXPECT_EQ(wait_mode_from("poll"), std::nullopt);
}

}  // namespace
}  // namespace starling::agent
