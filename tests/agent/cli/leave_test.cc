#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

TEST(LeaveCommand, AsRecorded) {
  expect_same("cli:leave_auth", leave_command());
  expect_same("cli:auth_none_leave", leave_command());
}

}  // namespace
}  // namespace starling::agent::cli
