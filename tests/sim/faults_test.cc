#include "sim/faults.h"

#include <gtest/gtest.h>

#include <set>

namespace starling::sim {
namespace {

using std::chrono::seconds;

TEST(FaultPlan, SameSeedSamePlan) {
  const FaultPlan a = draw_plan(Random(7), 8, seconds(60), {});
  const FaultPlan b = draw_plan(Random(7), 8, seconds(60), {});
  ASSERT_EQ(a.faults.size(), b.faults.size());
  for (std::size_t i = 0; i < a.faults.size(); ++i) {
    EXPECT_EQ(to_text(a.faults[i]), to_text(b.faults[i]));
  }
}

TEST(FaultPlan, LeavingAKindOutKeepsTheOthers) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const FaultPlan whole = draw_plan(Random(seed), 8, seconds(60), {});
    FaultMask without;
    without.set(static_cast<std::size_t>(FaultKind::partition));
    without.set(static_cast<std::size_t>(FaultKind::loss));
    const FaultPlan part = draw_plan(Random(seed), 8, seconds(60), without);
    std::vector<std::string> expected;
    for (const Fault& fault : whole.faults) {
      if (fault.kind == FaultKind::partition || fault.kind == FaultKind::loss) continue;
      expected.push_back(to_text(fault));
    }
    ASSERT_EQ(part.faults.size(), expected.size()) << seed;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(to_text(part.faults[i]), expected[i]);
    }
  }
}

TEST(FaultPlan, StaysInBoundsAndSwarmsOverKinds) {
  std::set<FaultKind> seen;
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    std::set<FaultKind> here;
    for (const Fault& fault : draw_plan(Random(seed), 5, seconds(60), {}).faults) {
      here.insert(fault.kind);
      EXPECT_LE(fault.begin, fault.end);
      EXPECT_LE(fault.end, seconds(60));
      EXPECT_LT(index_of(fault.node), 5U);
      EXPECT_NE(fault.node, fault.other);
      EXPECT_EQ(fault.group_of_node.size(), fault.kind == FaultKind::partition ? 5U : 0U);
    }
    seen.insert(here.begin(), here.end());
    sizes.insert(here.size());
  }
  EXPECT_EQ(seen.size(), fault_kinds);
  EXPECT_GT(sizes.size(), 3U) << "the mask should vary from seed to seed";
}

TEST(FaultPlan, ChangesAreInOrderOfTime) {
  const FaultPlan plan = draw_plan(Random(3), 6, seconds(90), {});
  const std::vector<FaultPlan::Change> changes = plan.changes();
  ASSERT_FALSE(changes.empty());
  for (std::size_t i = 1; i < changes.size(); ++i) EXPECT_LE(changes[i - 1].at, changes[i].at);
}

TEST(FaultPlan, NamesReadBack) {
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    const auto kind = static_cast<FaultKind>(i);
    EXPECT_EQ(fault_kind_from(to_text(kind)), kind);
  }
  EXPECT_FALSE(fault_kind_from("meteor"));
}

}  // namespace
}  // namespace starling::sim
