#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

TEST(VersionCommand, TwoLines) {
  const Outcome outcome = run_command(version_command(), {});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_TRUE(outcome.out.ends_with("\nAgent Protocol: 5 (Understands back to: 2)\n"));
}

TEST(VersionCommand, AsJson) {
  const auto shown = nlohmann::json::parse(run_command(version_command(), {"-format=json"}).out);
  EXPECT_EQ(shown["protocol"], 5);
  EXPECT_EQ(shown["protocol_min"], 2);
}

}  // namespace
}  // namespace starling::agent::cli
