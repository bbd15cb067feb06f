#include "sim/links.h"

#include <gtest/gtest.h>

#include "tests/sim/nodes.h"

namespace starling::sim {
namespace {

TEST(Links, PartitionsOverlapAndHealByNumber) {
  Links links(3, {}, 1);
  EXPECT_TRUE(links.open(a, b));
  links.split(1, {0, 0, 1});
  links.split(2, {0, 1, 1});
  EXPECT_FALSE(links.open(a, b));
  EXPECT_FALSE(links.open(b, c));
  links.heal(1);
  EXPECT_FALSE(links.open(a, b));
  EXPECT_TRUE(links.open(b, c));
  links.heal(2);
  EXPECT_TRUE(links.open(a, b));
}

TEST(Links, OneWayNestsAndKeepsTheOtherDirection) {
  Links links(3, {}, 1);
  links.close(a, b);
  links.close(a, b);
  EXPECT_FALSE(links.open(a, b));
  EXPECT_TRUE(links.open(b, a));
  links.open_again(a, b);
  EXPECT_FALSE(links.open(a, b));
  links.open_again(a, b);
  EXPECT_TRUE(links.open(a, b));
  links.open_again(a, b);  // one too many, as after heal_all
  EXPECT_TRUE(links.open(a, b));
}

TEST(Links, ADarkMachineNeitherSendsNorHears) {
  Links links(3, {}, 1);
  links.set_dark(b, true);
  EXPECT_FALSE(links.open(a, b));
  EXPECT_FALSE(links.open(b, a));
  links.heal_all();
  EXPECT_FALSE(links.open(a, b)) << "healing the network does not switch machines on";
  links.set_dark(b, false);
  EXPECT_TRUE(links.open(a, b));
}

TEST(Links, LatencyStaysInItsModelAndFloorsDiffer) {
  const LatencyModel model{.floor_min = std::chrono::milliseconds(1),
                           .floor_max = std::chrono::milliseconds(2),
                           .jitter_max = std::chrono::milliseconds(3)};
  Links links(3, model, 9);
  Random random(4);
  Duration lowest_ab = Duration::max(), lowest_ba = Duration::max();
  for (int i = 0; i < 2000; ++i) {
    const Duration ab = links.latency(a, b, random);
    EXPECT_GE(ab, model.floor_min);
    EXPECT_LE(ab, model.floor_max + model.jitter_max);
    lowest_ab = std::min(lowest_ab, ab);
    lowest_ba = std::min(lowest_ba, links.latency(b, a, random));
  }
  EXPECT_NE(lowest_ab, lowest_ba);
}

}  // namespace
}  // namespace starling::sim
