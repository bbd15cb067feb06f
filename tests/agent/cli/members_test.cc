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

// A member is there, then failed and another has come, then the agent goes.
Outcome watched(const std::vector<std::string>& flags) {
  const std::string no_tags(1, '\x80');
  std::string answers, requests;
  append(answers, ResponseHeader{.error = "", .sequence = 1});
  append(requests, RequestHeader{.command = "handshake", .sequence = 1});
  append(requests, HandshakeRequest{.version = 1});
  for (const std::uint64_t sequence : {2, 3}) {
    append(requests, RequestHeader{.command = "members-filtered", .sequence = sequence});
    append(requests, MembersFilteredRequest{});
    append(answers, ResponseHeader{.error = "", .sequence = sequence});
    append_members_header(answers, sequence - 1);
    append_member(answers, {.name = "a",
                            .status = sequence == 2 ? MemberStatus::alive : MemberStatus::failed,
                            .tags = no_tags});
    if (sequence == 3) {
      append_member(answers, {.name = "b", .status = MemberStatus::alive, .tags = no_tags});
    }
  }
  OneShotServer server(answers, requests.size());
  std::vector<std::string> arguments{"-rpc-addr=" + server.address(), "-watch"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  return run_command(members_command(), arguments);
}

TEST(MembersCommand, AListThatBreaksOffIsNoSuccess) {
  std::string answers;
  append(answers, ResponseHeader{.error = "", .sequence = 1});
  append(answers, ResponseHeader{.error = "", .sequence = 2});
  append_members_header(answers, 2);
  append_member(answers, {.name = "a", .status = MemberStatus::alive, .tags = "\x80"});
  OneShotServer server(answers, 1);
  const Outcome outcome =
      run_command(members_command(), {"-rpc-addr=" + server.address(), "-format=json"});
  EXPECT_EQ(outcome.status, 1);
  const auto shown = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(shown["members"][0]["name"], "a");
  EXPECT_TRUE(shown["error"].get<std::string>().starts_with("Error retrieving members: "));
}

TEST(MembersCommand, WatchesWhatChanges) {
  const Outcome json = watched({"-format=json", "-strict"});
  EXPECT_EQ(json.status, 1);
  EXPECT_TRUE(json.err.starts_with("{\"error\":\"Error retrieving members: ")) << json.err;
  std::istringstream lines(json.out);
  std::vector<std::string> changes;
  for (std::string line; std::getline(lines, line);) {
    const auto change = nlohmann::json::parse(line);
    changes.push_back(change["change"].get<std::string>() + " " +
                      change["member"]["name"].get<std::string>() + " " +
                      change["member"]["status"].get<std::string>());
  }
  EXPECT_EQ(changes,
            (std::vector<std::string>{"added a alive", "changed a failed", "added b alive"}));
  const Outcome text = watched({});
  EXPECT_NE(text.out.find("failed"), std::string::npos) << text.out;
}

}  // namespace
}  // namespace starling::agent::cli
