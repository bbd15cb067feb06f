#include "sim/campaign.h"

#include <gtest/gtest.h>

#include <set>

namespace starling::sim {
namespace {

TEST(Campaign, ASeedMeansOneRun) {
  const RunResult first = run_seed(3);
  const RunResult second = run_seed(3);
  EXPECT_EQ(first.hash, second.hash);
  EXPECT_EQ(first.faults, second.faults);
  EXPECT_EQ(first.report.to_text(), second.report.to_text());
  EXPECT_NE(first.hash, run_seed(4).hash);
}

TEST(Campaign, LeavingAFaultOutKeepsTheClusterAndTheOtherFaults) {
  FaultMask without;
  without.set(static_cast<std::size_t>(FaultKind::user_event));
  const RunResult whole = run_seed(5);
  const RunResult part = run_seed(5, {.without = without, .nodes = {}});
  EXPECT_EQ(whole.cluster, part.cluster);
  std::vector<std::string> expected;
  for (const std::string& fault : whole.faults) {
    if (!fault.starts_with("user_event")) expected.push_back(fault);
  }
  EXPECT_EQ(part.faults, expected);
}

TEST(Campaign, SeedsDrawDifferentClusters) {
  std::set<std::size_t> sizes;
  std::set<bool> encrypted;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const WorldOptions options = draw_world(seed, {});
    sizes.insert(options.nodes);
    encrypted.insert(options.encrypted);
    EXPECT_GE(options.nodes, 3U);
    EXPECT_LE(options.nodes, 16U);
  }
  EXPECT_GT(sizes.size(), 8U);
  EXPECT_EQ(encrypted.size(), 2U);
}

}  // namespace
}  // namespace starling::sim
