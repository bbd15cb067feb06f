#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

TEST(KeygenCommand, ThirtyTwoBytesInBase64) {
  const Outcome first = run_command(keygen_command(), {});
  EXPECT_EQ(first.status, 0);
  EXPECT_EQ(first.out.size(), 45U);
  EXPECT_TRUE(first.out.ends_with("=\n"));
  EXPECT_NE(first.out, run_command(keygen_command(), {}).out);
}

TEST(KeygenCommand, AsJson) {
  const Outcome outcome = run_command(keygen_command(), {"-format=json"});
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["key"].get<std::string>().size(), 44u);
  EXPECT_EQ(run_command(keygen_command(), {"-format=xml"}).status, 1);
}

}  // namespace
}  // namespace starling::agent::cli
