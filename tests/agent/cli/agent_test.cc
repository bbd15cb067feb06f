#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

TEST(AgentCommand, WrongFlags) {
  const Outcome outcome = run_command(agent_command(), {"-x"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, "flag provided but not defined: -x\n");
  EXPECT_TRUE(outcome.out.starts_with("==> Usage: starling agent [options]\n"));
}

TEST(AgentCommand, WrongConfiguration) {
  const Outcome outcome = run_command(agent_command(), {"-config-file", "/nonexistent"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out,
            "==> Error reading '/nonexistent': open /nonexistent: no such file or directory\n");
  EXPECT_EQ(run_command(agent_command(), {"-profile=x"}).out, "==> Unknown profile: x\n");
}

}  // namespace
}  // namespace starling::agent::cli
