#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

Outcome swarm(const std::vector<std::string>& arguments) {
  return run_command(swarm_command(), arguments);
}

TEST(SwarmCommand, RunsASwarm) {
  const Outcome outcome =
      swarm({"-members=20", "-engines=2", "-period=200ms", "-no-view", "-act", "update 2"});
  EXPECT_EQ(outcome.status, 0) << outcome.out;
  EXPECT_NE(outcome.out.find("passed: 1 of 1 acts"), std::string::npos) << outcome.out;
}

TEST(SwarmCommand, ComplainsAboutItsFlags) {
  EXPECT_EQ(swarm({"-engines=1"}).out,
            "Error: engines is 1, it must be at least 2 and at most 4096\n");
  EXPECT_EQ(swarm({"-act=dance"}).out, "Error: act \"dance\": no such act\n");
  EXPECT_EQ(swarm({"-members=x"}).status, 1);
  const Outcome extra = swarm({"now"});
  EXPECT_EQ(extra.status, 1);
  EXPECT_TRUE(extra.out.starts_with("swarm takes no arguments\n"));
}

}  // namespace
}  // namespace starling::agent::cli
