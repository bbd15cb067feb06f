#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

TEST(JoinCommand, AsRecorded) {
  expect_same("cli:join", join_command());
  expect_same("cli:join_replay", join_command());
  expect_same("cli:join_fail", join_command());
  expect_same("cli:join_named", join_command());
}

Outcome replayed_with(std::string_view name, const std::string& flag) {
  const nlohmann::json exchange = rpc_exchange(name);
  OneShotServer server(from_hex(exchange["response_stream_hex"]), SIZE_MAX);
  std::vector<std::string> arguments{"-rpc-addr=" + server.address(), flag};
  for (std::size_t i = 2; i < exchange["command"].size(); ++i) {
    arguments.push_back(exchange["command"][i]);
  }
  return run_command(join_command(), arguments);
}

TEST(JoinCommand, AsJson) {
  EXPECT_EQ(replayed_with("cli:join", "-format=json").out, "{\"contacted\":2}\n");
  const Outcome failed = replayed_with("cli:join_fail", "-format=json");
  EXPECT_EQ(failed.status, 1);
  EXPECT_TRUE(nlohmann::json::parse(failed.out).contains("error"));
}

TEST(JoinCommand, StrictErrorsGoToTheStandardError) {
  const Outcome failed = replayed_with("cli:join_fail", "-strict");
  EXPECT_EQ(failed.status, 1);
  EXPECT_EQ(failed.out, "");
  EXPECT_TRUE(failed.err.starts_with("Error joining the cluster: "));
}

TEST(JoinCommand, WantsAnAddress) {
  const Outcome outcome = run_command(join_command(), {});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(
      outcome.out.starts_with("At least one address to join must be specified.\n\nUsage: "));
}

}  // namespace
}  // namespace starling::agent::cli
