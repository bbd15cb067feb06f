#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

// A handshake's answer and so many of stats.
std::string answers(int looks) {
  std::string bytes;
  append(bytes, ResponseHeader{.error = "", .sequence = 1});
  for (int i = 0; i < looks; ++i) {
    append(bytes, ResponseHeader{.error = "", .sequence = static_cast<std::uint64_t>(2 + i)});
    append_stats(bytes, Stats{{"agent", {{"name", "a"}}},
                              {"serf", {{"members", "3"}, {"failed", "1"}, {"left", "0"}}},
                              {"starling", {{"pings_sent", std::to_string(100 * i)}}}});
  }
  return bytes;
}

TEST(TopCommand, PrintsALineForEachLook) {
  OneShotServer server(answers(2), SIZE_MAX);
  const Outcome outcome =
      run_command(top_command(), {"-rpc-addr=" + server.address(), "-interval=50ms", "-count=2"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 2);
  EXPECT_TRUE(outcome.out.starts_with("a: 2 alive, 0 leaving, 1 failed, 0 left"));
}

TEST(TopCommand, PrintsAnObjectForEachLook) {
  OneShotServer server(answers(2), SIZE_MAX);
  const Outcome outcome =
      run_command(top_command(),
                  {"-rpc-addr=" + server.address(), "-interval=50ms", "-count=2", "-format=json"});
  EXPECT_EQ(outcome.status, 0);
  std::istringstream lines(outcome.out);
  std::string line;
  std::vector<nlohmann::json> looks;
  while (std::getline(lines, line)) looks.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(looks.size(), 2u);
  EXPECT_EQ(looks[0]["per_second"]["probes"], 0.0);
  EXPECT_GT(looks[1]["per_second"]["probes"], 0.0);
  EXPECT_EQ(looks[1]["members"]["alive"], 2);
}

TEST(TopCommand, RefusesNonsense) {
  EXPECT_EQ(run_command(top_command(), {"-interval=1ns"}).status, 1);
  EXPECT_EQ(run_command(top_command(), {"-count=0"}).out, "-count must be at least 1\n");
  EXPECT_EQ(run_command(top_command(), {"-format=xml"}).out, "Invalid output format \"xml\"\n");
  EXPECT_EQ(run_command(top_command(), {"x"}).status, 1);
}

}  // namespace
}  // namespace starling::agent::cli
