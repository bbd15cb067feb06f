#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

TEST(ForceLeaveCommand, AsRecorded) {
  expect_same("cli:forceleave_unknown", force_leave_command());
}

TEST(ForceLeaveCommand, WantsOneName) {
  const Outcome outcome = run_command(force_leave_command(), {"a", "b"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(outcome.out.starts_with("A node name must be specified to force leave.\n\nUsage: "));
}

// Answers a handshake, then a list of members, then perhaps the force-leave.
Outcome strictly(const std::string& name, const std::vector<std::string>& members) {
  std::string bytes;
  append(bytes, ResponseHeader{.error = "", .sequence = 1});
  append(bytes, ResponseHeader{.error = "", .sequence = 2});
  append_members_header(bytes, members.size());
  const std::string no_tags(1, '\x80');
  for (const std::string& member : members) append_member(bytes, {.name = member, .tags = no_tags});
  append(bytes, ResponseHeader{.error = "", .sequence = 3});
  OneShotServer server(bytes, SIZE_MAX);
  return run_command(force_leave_command(), {"-rpc-addr=" + server.address(), "-strict", name});
}

TEST(ForceLeaveCommand, StrictlyWantsAKnownName) {
  const Outcome unknown = strictly("x", {});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_EQ(unknown.out, "");
  EXPECT_EQ(unknown.err, "Error force leaving: no member is known by the name \"x\"\n");
  const Outcome known = strictly("x", {"x"});
  EXPECT_EQ(known.status, 0);
  EXPECT_EQ(known.err, "");
}

TEST(ForceLeaveCommand, StrictErrorsGoToTheStandardError) {
  const Outcome outcome =
      run_command(force_leave_command(), {"-rpc-addr=127.0.0.1:1", "-strict", "x"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(outcome.err.starts_with("Error connecting to starling agent: "));
}

}  // namespace
}  // namespace starling::agent::cli
