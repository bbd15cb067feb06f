#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

TEST(EventCommand, AsRecorded) {
  expect_same("cli:event", event_command());
  expect_same("cli:event_nopayload_nocoalesce", event_command());
}

TEST(EventCommand, WrongArguments) {
  EXPECT_TRUE(run_command(event_command(), {})
                  .out.starts_with("An event name must be specified.\n\nUsage: starling event"));
  const Outcome outcome = run_command(event_command(), {"a", "b", "c"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(outcome.out.starts_with(
      "Too many command line arguments. Only a name and payload must be specified.\n\nUsage: "));
}

}  // namespace
}  // namespace starling::agent::cli
