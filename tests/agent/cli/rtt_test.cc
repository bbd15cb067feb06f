#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

TEST(RttCommand, AsRecorded) {
  expect_same("cli:rtt", rtt_command());
  expect_same("cli:rtt2", rtt_command());
  expect_same("cli:rtt_unknown", rtt_command());
}

TEST(RttCommand, Json) {
  nlohmann::json exchange = rpc_exchange("cli:rtt2");
  exchange["command"].insert(exchange["command"].begin() + 2, "-format=json");
  const Outcome outcome = replay(exchange, rtt_command());
  EXPECT_EQ(outcome.status, 0);
  const nlohmann::json shown = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(shown["node1"], "b");
  EXPECT_EQ(shown["node2"], "c");
  EXPECT_NEAR(shown["rtt_ns"].get<double>(), 584'000, 500);
}

TEST(RttCommand, WantsOneNodeOrTwo) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{}, std::vector<std::string>{"a", "b", "c"}}) {
    const Outcome outcome = run_command(rtt_command(), arguments);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_TRUE(outcome.out.starts_with("One or two node names must be specified\n\nUsage: "));
  }
  EXPECT_EQ(run_command(rtt_command(), {"-format=xml", "a"}).status, 1);
}

}  // namespace
}  // namespace starling::agent::cli
