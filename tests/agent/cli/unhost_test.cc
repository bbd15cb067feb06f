#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

Outcome unhost(const std::string& error) {
  std::string answers;
  append(answers, ResponseHeader{.error = "", .sequence = 1});
  append(answers, ResponseHeader{.error = error, .sequence = 2});
  std::string expected;
  append(expected, RequestHeader{.command = "handshake", .sequence = 1});
  append(expected, HandshakeRequest{.version = 1});
  append(expected, RequestHeader{.command = "unhost-member", .sequence = 2});
  append(expected, UnhostMemberRequest{.name = "gw"});
  OneShotServer server(answers, expected.size());
  Outcome outcome = run_command(unhost_command(), {"gw", "-rpc-addr=" + server.address()});
  EXPECT_EQ(server.received(), expected);
  return outcome;
}

TEST(UnhostCommand, SaysThatTheMemberHasLeft) {
  const Outcome outcome = unhost("");
  EXPECT_EQ(outcome.out, "gw has left\n");
  EXPECT_EQ(outcome.status, 0);
}

TEST(UnhostCommand, Errors) {
  const Outcome outcome = unhost("no member \"gw\" is hosted here");
  EXPECT_EQ(outcome.out, "Error letting gw go: no member \"gw\" is hosted here\n");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(
      run_command(unhost_command(), {})
          .out.starts_with("A name must be specified to unhost.\n\nUsage: starling unhost name"));
}

}  // namespace
}  // namespace starling::agent::cli
