#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

TEST(ForceLeaveCommand, AsRecorded) {
  expect_same("cli:forceleave_unknown", force_leave_command());
}

TEST(ForceLeaveCommand, WantsOneName) {
  const Outcome outcome = run_command(force_leave_command(), {"a", "b"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(outcome.out.starts_with("A node name must be specified to force leave.\n\nUsage: "));
}

}  // namespace
}  // namespace starling::agent::cli
