#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

TEST(JoinCommand, AsRecorded) {
  expect_same("cli:join", join_command());
  expect_same("cli:join_replay", join_command());
  expect_same("cli:join_fail", join_command());
  expect_same("cli:join_named", join_command());
}

TEST(JoinCommand, WantsAnAddress) {
  const Outcome outcome = run_command(join_command(), {});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(
      outcome.out.starts_with("At least one address to join must be specified.\n\nUsage: "));
}

}  // namespace
}  // namespace starling::agent::cli
