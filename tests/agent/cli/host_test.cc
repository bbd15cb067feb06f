#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

std::string greeting() {
  std::string answers;
  append(answers, ResponseHeader{.error = "", .sequence = 1});
  return answers;
}

TEST(HostCommand, SendsNameTagsAndAddress) {
  for (const std::ptrdiff_t place : {0, 2, 5}) {
    std::string answers = greeting();
    append(answers, ResponseHeader{.error = "", .sequence = 2});
    std::string expected;
    append(expected, RequestHeader{.command = "handshake", .sequence = 1});
    append(expected, HandshakeRequest{.version = 1});
    append(expected, RequestHeader{.command = "host-member", .sequence = 2});
    append(expected,
           HostMemberRequest{
               .name = "gw", .tags = {{"a", "1"}, {"b", "2=3"}}, .advertise = "10.0.0.1:5"});
    OneShotServer server(answers, expected.size());
    std::vector<std::string> arguments{"-tag",       "a=1",        "-tag=b=2=3",
                                       "-advertise", "10.0.0.1:5", "-rpc-addr=" + server.address()};
    arguments.insert(arguments.begin() + place, "gw");
    const Outcome outcome = run_command(host_command(), arguments);
    EXPECT_EQ(outcome.out, "Hosting gw\n");
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(server.received(), expected);
  }
}

TEST(HostCommand, RefusalsReachTheUser) {
  std::string answers = greeting();
  append(answers, ResponseHeader{.error = "this member is hosted already", .sequence = 2});
  OneShotServer server(answers, 1);
  const Outcome outcome = run_command(host_command(), {"gw", "-rpc-addr=" + server.address()});
  EXPECT_EQ(outcome.out, "Error hosting gw: this member is hosted already\n");
  EXPECT_EQ(outcome.status, 1);
}

TEST(HostCommand, WrongUse) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{}, {"a", "b"}, {"a", "-tag", "x=y", "b"}}) {
    const Outcome outcome = run_command(host_command(), arguments);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_TRUE(outcome.out.starts_with("A name must be specified to host.\n\nUsage: "));
  }
  EXPECT_EQ(run_command(host_command(), {"a", "-tag", "x"}).out, "Error: Invalid tag: 'x'\n");
}

}  // namespace
}  // namespace starling::agent::cli
