#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

TEST(QueryCommand, AsRecorded) {
  expect_same("cli:query", query_command());
  expect_same("cli:query_json", query_command());
  expect_same("cli:query_default", query_command());
  expect_same("cli:query_internal", query_command());
}

TEST(QueryCommand, WrongArguments) {
  const auto first_line = [](const std::vector<std::string>& arguments) {
    const Outcome outcome = run_command(query_command(), arguments);
    EXPECT_EQ(outcome.status, 1);
    return outcome.out.substr(0, outcome.out.find('\n'));
  };
  EXPECT_EQ(first_line({}), "A query name must be specified.");
  EXPECT_EQ(first_line({"a", "b", "c"}),
            "Too many command line arguments. Only a name and payload must be specified.");
  EXPECT_EQ(first_line({"-relay-factor=256", "load"}), "Relay factor must be between 0 and 255");
  EXPECT_EQ(first_line({"-relay-factor=-1", "load"}), "Relay factor must be between 0 and 255");
  EXPECT_EQ(first_line({"-tag=broken", "load"}), "Error: Invalid tag: 'broken'");
  EXPECT_EQ(run_command(query_command(), {"-timeout=soon", "load"}).err,
            "invalid value \"soon\" for flag -timeout: parse error\n");
}

// An agent that answers the recorded query with these records instead.
std::string answers(const std::vector<QueryRecord>& records) {
  std::string bytes;
  append(bytes, ResponseHeader{.error = "", .sequence = 1});
  append(bytes, ResponseHeader{.error = "", .sequence = 2});
  for (const QueryRecord& record : records) {
    append(bytes, ResponseHeader{.error = "", .sequence = 2});
    append(bytes, record);
  }
  return bytes;
}

Outcome run_with(const std::vector<QueryRecord>& records, std::vector<std::string> arguments) {
  OneShotServer server(answers(records), SIZE_MAX);
  arguments.insert(arguments.begin(), "-rpc-addr=" + server.address());
  return run_command(query_command(), arguments);
}

TEST(QueryCommand, ShowsAnswersWithoutTheirLastNewline) {
  const Outcome outcome = run_with(
      {{"a", "", "ack"}, {"a", "one\ntwo\n", "response"}, {"b", "", "response"}, {"", "", "done"}},
      {"load"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out,
            "Query 'load' dispatched\nAck from 'a'\nResponse from 'a': one\ntwo\n"
            "Response from 'b': \nTotal Acks: 1\nTotal Responses: 2\n");
  EXPECT_EQ(run_with({{"b", "x", "response"}, {"", "", "done"}}, {"-no-ack", "load"}).out,
            "Query 'load' dispatched\nResponse from 'b': x\nTotal Responses: 1\n");
}

TEST(QueryCommand, JsonKeepsTheNewline) {
  EXPECT_EQ(run_with({{"b", "x\n", "response"}, {"a", "<1>", "response"}, {"", "", "done"}},
                     {"-format=json", "load"})
                .out,
            "{\n  \"Acks\": null,\n  \"Responses\": {\n    \"a\": \"\\u003c1\\u003e\",\n"
            "    \"b\": \"x\\n\"\n  }\n}\n");
}

TEST(QueryCommand, NobodysAcksAndAnswersAreNotShown) {
  const std::vector<QueryRecord> records{
      {"a", "", "ack"}, {"", "", "ack"}, {"", "", "response"}, {"", "", "ack"}, {"", "", "done"}};
  EXPECT_EQ(run_with(records, {"load"}).out,
            "Query 'load' dispatched\nAck from 'a'\nTotal Acks: 1\nTotal Responses: 0\n");
  EXPECT_EQ(run_with(records, {"-format=json", "load"}).out,
            "{\n  \"Acks\": [\n    \"a\"\n  ],\n  \"Responses\": {}\n}\n");
}

TEST(QueryCommand, AnAgentThatGoesAwayIsAFailure) {
  OneShotServer server(answers({{"a", "", "ack"}}), 1);
  EXPECT_EQ(run_command(query_command(), {"-rpc-addr=" + server.address(), "load"}).status, 1);
}

TEST(QueryCommand, StrictlyItSaysThatTheAgentHasGone) {
  const auto lost = [](const std::vector<std::string>& flags) {
    OneShotServer server(answers({{"a", "", "ack"}}), 1);
    std::vector<std::string> arguments{"-rpc-addr=" + server.address()};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    arguments.push_back("load");
    return run_command(query_command(), arguments);
  };
  EXPECT_EQ(lost({}).out, "Query 'load' dispatched\nAck from 'a'\n");  // as Serf
  const Outcome strict = lost({"-strict"});
  EXPECT_EQ(strict.status, 1);
  EXPECT_TRUE(strict.err.starts_with("The agent went away: ")) << strict.err;
  const Outcome json = lost({"-format=json"});
  EXPECT_TRUE(json.out.starts_with("{\"error\":\"The agent went away: ")) << json.out;
}

TEST(QueryCommand, AWrongFormatIsNoticedBeforeTheQuery) {
  OneShotServer server(answers({}), SIZE_MAX);
  const Outcome outcome =
      run_command(query_command(), {"-rpc-addr=" + server.address(), "-format=z", "load"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "Invalid format: z\n");
}

}  // namespace
}  // namespace starling::agent::cli
