#include "core/swim/awareness.h"

#include <gtest/gtest.h>

namespace starling {
namespace {

using namespace std::chrono_literals;

TEST(Awareness, StaysInRangeAndStretchesIntervals) {
  Awareness health(8);
  EXPECT_EQ(health.score(), 0);
  EXPECT_EQ(health.scale(1s), 1s);
  EXPECT_EQ(health.apply(-1), 0);
  EXPECT_EQ(health.apply(3), 3);
  EXPECT_EQ(health.scale(1s), 4s);
  EXPECT_EQ(health.apply(0), 3);
  EXPECT_EQ(health.apply(100), 7);
  EXPECT_EQ(health.scale(500ms), 4s);
  EXPECT_EQ(health.apply(-2), 5);
  EXPECT_EQ(health.apply(-2'147'483'647), 0);
  EXPECT_EQ(health.apply(2'147'483'647), 7);
}

TEST(Awareness, ABoundOfOneNeverStretches) {
  Awareness health(1);
  EXPECT_EQ(health.apply(5), 0);
  EXPECT_EQ(health.scale(1s), 1s);
}

}  // namespace
}  // namespace starling
