#include "sim/violation.h"

#include <gtest/gtest.h>

#include <set>

namespace starling::sim {
namespace {

TEST(Violation, EveryRuleHasItsName) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < rule_count; ++i) names.insert(to_text(static_cast<Rule>(i)));
  EXPECT_EQ(names.size(), rule_count);
  EXPECT_EQ(to_text(Rule::incarnation_fell), "incarnation_fell");
  EXPECT_EQ(to_text(Rule::not_converged), "not_converged");
}

TEST(Violations, CountsAllAndKeepsTheFirst) {
  Violations violations;
  for (std::size_t i = 0; i < 2 * Violations::kept_max; ++i) {
    violations.add(Rule::resurrection, Instant{}, NodeId{1}, std::to_string(i));
  }
  EXPECT_EQ(violations.count(), 2 * Violations::kept_max);
  ASSERT_EQ(violations.kept().size(), Violations::kept_max);
  EXPECT_EQ(violations.kept().back().text, std::to_string(Violations::kept_max - 1));
}

}  // namespace
}  // namespace starling::sim
