#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

TEST(TagsCommand, AsRecorded) {
  const nlohmann::json exchange = rpc_exchange("cli:tags");
  const Outcome outcome = replay(exchange, tags_command());
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, exchange["stdout"].get<std::string>());
  // Go writes the tags in random order: compare the last request as a value.
  const std::string last = from_hex(exchange["request"].back()["hex"]);
  ASSERT_GE(outcome.sent.size(), last.size());
  const std::string ours = outcome.sent.substr(outcome.sent.size() - last.size());
  EXPECT_EQ(nlohmann::json::from_msgpack(ours), nlohmann::json::from_msgpack(last));
}

TEST(TagsCommand, OfAHostedMember) {
  std::string answers;
  append(answers, ResponseHeader{.error = "", .sequence = 1});
  append(answers, ResponseHeader{.error = "", .sequence = 2});
  std::string expected;
  append(expected, RequestHeader{.command = "handshake", .sequence = 1});
  append(expected, HandshakeRequest{.version = 1});
  append(expected, RequestHeader{.command = "member-tags", .sequence = 2});
  append(expected, MemberTagsRequest{.member = "gw", .tags = {{"a", "1"}}, .delete_tags = {"b"}});
  OneShotServer server(answers, expected.size());
  const Outcome outcome = run_command(tags_command(), {"-member", "gw", "-set", "a=1", "-delete",
                                                       "b", "-rpc-addr=" + server.address()});
  EXPECT_EQ(outcome.out, "Successfully updated gw tags\n");
  EXPECT_EQ(server.received(), expected);
}

TEST(TagsCommand, Errors) {
  EXPECT_TRUE(run_command(tags_command(), {}).out.starts_with("Usage: starling tags"));
  EXPECT_EQ(run_command(tags_command(), {"-set", "foo"}).out, "Error: Invalid tag: 'foo'\n");
}

}  // namespace
}  // namespace starling::agent::cli
