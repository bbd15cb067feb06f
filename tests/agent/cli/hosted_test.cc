#include "agent/tag_sets.h"
#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

Outcome hosted(const std::string& error, const std::vector<std::string>& arguments) {
  std::string answers;
  append(answers, ResponseHeader{.error = "", .sequence = 1});
  append(answers, ResponseHeader{.error = error, .sequence = 2});
  if (error.empty()) {
    const std::string tags = encode_tags({{"role", "web"}});
    append_members_header(answers, 1);
    append_member(answers, {.name = "gw",
                            .endpoint = {IpAddress::v4(127, 0, 0, 1), 7946},
                            .status = MemberStatus::alive,
                            .versions = {},
                            .tags = tags});
  }
  OneShotServer server(answers, 60);
  std::vector<std::string> all{"-rpc-addr=" + server.address()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_command(hosted_command(), all);
}

TEST(HostedCommand, TextAndJson) {
  EXPECT_EQ(hosted("", {}).out, "gw  127.0.0.1:7946  alive  role=web\n");
  const Outcome json = hosted("", {"-format=json"});
  EXPECT_EQ(json.status, 0);
  const auto members = nlohmann::json::parse(json.out)["members"];
  ASSERT_EQ(members.size(), 1U);
  EXPECT_EQ(members[0]["name"], "gw");
}

TEST(HostedCommand, Errors) {
  const Outcome outcome = hosted("Unsupported command", {});
  EXPECT_EQ(outcome.out, "Error retrieving hosted members: Unsupported command\n");
  EXPECT_EQ(outcome.status, 1);
}

}  // namespace
}  // namespace starling::agent::cli
