#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

TEST(InfoCommand, AsRecorded) {
  expect_same("cli:info", info_command());
  expect_same("cli:info_enc", info_command());
}

TEST(InfoCommand, Json) {
  nlohmann::json exchange = rpc_exchange("cli:info");
  exchange["command"].push_back("-format=json");
  const Outcome outcome = replay(exchange, info_command());
  EXPECT_EQ(outcome.status, 0);
  const nlohmann::json shown = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(shown, exchange["response"].back()["decoded"]);
}

TEST(InfoCommand, WrongFormat) {
  nlohmann::json exchange = rpc_exchange("cli:info");
  exchange["command"].push_back("-format=xml");
  const Outcome outcome = replay(exchange, info_command());
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "Encoding error: Invalid output format \"xml\"\n");
}

}  // namespace
}  // namespace starling::agent::cli
