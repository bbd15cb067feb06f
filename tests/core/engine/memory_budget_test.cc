#include "core/engine/memory_budget.h"

#include <gtest/gtest.h>

#include "core/engine/engine.h"
#include "tests/support/lone_node.h"

namespace starling::test {
namespace {

EngineOptions options_for(std::uint32_t members_max) {
  EngineOptions options = LoneNode::options_named("me");
  options.capacity.members_max = members_max;
  return options;
}

TEST(MemoryBudget, AddsUpToTheFootprint) {
  for (const std::uint32_t members : {1u, 1000u, 1'000'000u}) {
    const MemoryBudget budget = budget_of(options_for(members));
    EXPECT_EQ(budget.reserved_bytes(), Engine::footprint(options_for(members)));
    for (const MemoryPart& part : budget.parts) {
      EXPECT_GT(part.reserved_bytes, 0u) << part.name;
      EXPECT_LT(part.reserved_bytes, budget.reserved_bytes()) << part.name;
    }
    EXPECT_LT(budget.row_bytes_reserved(), budget.reserved_bytes());
  }
}

TEST(MemoryBudget, AMemberTakesAtMost128Bytes) {
  EXPECT_LE(budget_of(options_for(1'000'000)).member_bytes(), 128u);
  EXPECT_GT(budget_of(options_for(1'000'000)).member_bytes(), 64u);
}

// What is reserved for a row covers what a member is said to take of it.
TEST(MemoryBudget, ReservesWhatMembersTake) {
  const MemoryBudget few = budget_of(options_for(100'000));
  const MemoryBudget many = budget_of(options_for(200'000));
  for (std::size_t i = 0; i < many.parts.size(); ++i) {
    const std::size_t more = many.parts[i].reserved_bytes - few.parts[i].reserved_bytes;
    // Columns are rounded to whole cache lines.
    EXPECT_GE(more + 1000, many.parts[i].member_bytes * 100'000) << many.parts[i].name;
  }
}

}  // namespace
}  // namespace starling::test
