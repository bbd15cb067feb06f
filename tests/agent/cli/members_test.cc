#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

TEST(MembersCommand, AsRecorded) {
  expect_same("cli:members_role", members_command());
  expect_same("cli:members_badregex", members_command());
  expect_same("cli:members_none", members_command());
  expect_same("cli:auth_ok", members_command());
}

TEST(MembersCommand, TagsAreSorted) {
  const nlohmann::json exchange = rpc_exchange("cli:members_filter");
  const Outcome outcome = replay(exchange, members_command());
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, "a  127.77.0.11:7946  alive  dc=east,k=v,role=web\n");
  EXPECT_EQ(outcome.sent, from_hex(exchange["request_stream_hex"]));
}

TEST(MembersCommand, DetailedAndJson) {
  nlohmann::json exchange = rpc_exchange("cli:members_role");
  exchange["command"] = {"serf", "members", "-tag", "role=db", "-detailed"};
  EXPECT_EQ(replay(exchange, members_command()).out,
            "b  127.77.0.12:7946  alive  role=db  Protocol Version: 5  "
            "Available Protocol Range: [2, 5]\n");
  exchange["command"] = {"serf", "members", "-tag", "role=db", "-format", "json"};
  EXPECT_EQ(replay(exchange, members_command()).out, R"({
  "members": [
    {
      "name": "b",
      "addr": "127.77.0.12:7946",
      "port": 7946,
      "tags": {
        "role": "db"
      },
      "status": "alive",
      "protocol": {
        "max": 5,
        "min": 2,
        "version": 5
      }
    }
  ]
}
)");
}

TEST(MembersCommand, Errors) {
  const nlohmann::json wrong_token = rpc_exchange("cli:auth_wrong");
  EXPECT_EQ(replay(wrong_token, members_command()).out,
            "Error connecting to starling agent: Invalid authentication token\n");
  EXPECT_EQ(run_command(members_command(), {"-rpc-addr=127.0.0.1:1"}).out,
            "Error connecting to starling agent: dial tcp 127.0.0.1:1: connect: "
            "connection refused\n");
  EXPECT_EQ(run_command(members_command(), {"-rpc-addr=bad"}).out,
            "Error connecting to starling agent: dial tcp: address bad: missing port in "
            "address\n");
  nlohmann::json exchange = rpc_exchange("cli:members_none");
  exchange["command"].push_back("-format=xml");
  EXPECT_EQ(replay(exchange, members_command()).out,
            "Encoding error: Invalid output format \"xml\"\n");
}

}  // namespace
}  // namespace starling::agent::cli
