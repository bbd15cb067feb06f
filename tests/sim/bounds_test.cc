#include "sim/bounds.h"

#include <gtest/gtest.h>

namespace starling::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Bounds, SuspicionFollowsTheFormula) {
  const SwimOptions lan;  // the defaults are the lan profile
  EXPECT_EQ(suspicion_min(lan), seconds(4));
  EXPECT_EQ(suspicion_max(lan, 5), seconds(24));
  EXPECT_EQ(suspicion_max(lan, 50), 6 * milliseconds(6792));
  EXPECT_EQ(suspicion_max(lan, 1000), seconds(72));
}

TEST(Bounds, PushPullStretchesBeyond32Nodes) {
  const SwimOptions lan;
  EXPECT_EQ(push_pull_interval(lan, 32), seconds(30));
  EXPECT_EQ(push_pull_interval(lan, 33), seconds(60));
  EXPECT_EQ(push_pull_interval(lan, 64), seconds(60));
  EXPECT_EQ(push_pull_interval(lan, 65), seconds(90));
}

TEST(Bounds, GrowWithTheClusterAndContainTheirParts) {
  const SwimOptions lan;
  const SerfOptions serf;
  for (std::size_t nodes = 2; nodes < 200; ++nodes) {
    EXPECT_LE(dissemination(lan, nodes), dissemination(lan, nodes + 1));
    EXPECT_LE(detection(lan, nodes), detection(lan, nodes + 1));
    EXPECT_LE(convergence(lan, serf, nodes), convergence(lan, serf, nodes + 1));
    EXPECT_GT(detection(lan, nodes), suspicion_max(lan, nodes));
    EXPECT_GT(convergence(lan, serf, nodes), detection(lan, nodes));
  }
}

}  // namespace
}  // namespace starling::sim
