#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

TEST(RpcClient, RecordsBeforeAnAnswerAreKept) {
  std::string answers;
  append(answers, ResponseHeader{.error = "", .sequence = 1});
  append(answers, ResponseHeader{.error = "", .sequence = 2});
  append(answers, ResponseHeader{.error = "", .sequence = 2});
  append_log_record(answers, "first");
  append(answers, ResponseHeader{.error = "", .sequence = 3});
  append(answers, ResponseHeader{.error = "", .sequence = 2});
  append_log_record(answers, "second");
  OneShotServer server(answers, 1000);
  auto client = RpcClient::connect(server.address(), "");
  ASSERT_TRUE(client);
  const auto logs = client->monitor({.log_level = "info"});
  ASSERT_TRUE(logs);
  ASSERT_TRUE(client->event({.name = "x", .payload = {}, .coalesce = true}));
  for (const std::string_view line : {"first", "second"}) {
    const auto record = client->next_record(-1);
    ASSERT_TRUE(record && *record);
    EXPECT_EQ((*record)->subscription, *logs);
    EXPECT_EQ(*decode_log_record(as_bytes((*record)->body)), line);
  }
}

TEST(RpcClient, AnswersWithoutABodyWhenAuthenticationIsMissing) {
  std::string answers;
  append(answers, ResponseHeader{.error = "", .sequence = 1});
  append(answers, ResponseHeader{.error = "Authentication required", .sequence = 2});
  OneShotServer server(answers, 1000);
  auto client = RpcClient::connect(server.address(), "");
  ASSERT_TRUE(client);
  EXPECT_EQ(client->stats().error(), "Authentication required");
}

TEST(RpcClient, GarbageAndEndOfStreamAreErrors) {
  {
    OneShotServer server("\xc1", 1000);
    EXPECT_EQ(RpcClient::connect(server.address(), "").error(), "bad answer from the agent");
  }
  OneShotServer server("\x82", 10);
  EXPECT_EQ(RpcClient::connect(server.address(), "").error(), "client closed");
}

}  // namespace
}  // namespace starling::agent::cli
