#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

TEST(MonitorCommand, UnknownLevelAsRecorded) {
  expect_same("cli:monitor_bad", monitor_command());
}

// A conversation put together from recorded pieces: both subscriptions accepted, one log line and
// one event, then the agent is gone.
TEST(MonitorCommand, ShowsLogsAndEventsUntilTheAgentEnds) {
  std::string answers;
  append(answers, ResponseHeader{.error = "", .sequence = 1});
  append(answers, ResponseHeader{.error = "", .sequence = 2});
  append(answers, ResponseHeader{.error = "", .sequence = 2});
  append(answers, UserEventRecord{.time = 2, .name = "nn", .payload = "yy", .coalesce = false});
  append(answers, ResponseHeader{.error = "", .sequence = 3});
  append(answers, ResponseHeader{.error = "", .sequence = 3});
  append_log_record(answers, "2026/11/23 18:23:27 [INFO] agent: Received event: user-event: nn");
  OneShotServer server(answers, 90);
  const Outcome outcome = run_command(monitor_command(), {"-rpc-addr=" + server.address()});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out,
            "Event Info:\n\tCoalesce: false\n\tEvent: \"user\"\n\tLTime: 2\n\tName: \"nn\"\n"
            "\tPayload: []byte{0x79, 0x79}\n"
            "2026/11/23 18:23:27 [INFO] agent: Received event: user-event: nn\n"
            "\nRemote side ended the monitor! This usually means that the\n"
            "remote side has exited or crashed.\n");
}

TEST(MonitorCommand, AsJson) {
  std::string answers, requests;
  for (const std::uint64_t sequence : {1, 2, 3}) {
    append(answers, ResponseHeader{.error = "", .sequence = sequence});
  }
  append(answers, ResponseHeader{.error = "", .sequence = 3});
  append_log_record(answers, "[INFO] a line");
  append(answers, ResponseHeader{.error = "", .sequence = 2});
  append(answers, UserEventRecord{.time = 4, .name = "x", .payload = "what", .coalesce = true});
  append(requests, RequestHeader{.command = "handshake", .sequence = 1});
  append(requests, HandshakeRequest{.version = 1});
  append(requests, RequestHeader{.command = "stream", .sequence = 2});
  append(requests, StreamRequest{.type = "*"});
  append(requests, RequestHeader{.command = "monitor", .sequence = 3});
  append(requests, MonitorRequest{.log_level = "INFO"});
  OneShotServer server(answers, requests.size());
  const Outcome outcome =
      run_command(monitor_command(), {"-rpc-addr=" + server.address(), "-format=json"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out,
            "{\"log\":\"[INFO] a line\"}\n"
            "{\"event\":{\"Coalesce\":true,\"Event\":\"user\",\"LTime\":4,\"Name\":\"x\","
            "\"Payload\":\"what\"}}\n"
            "{\"error\":\"the agent has exited or crashed\"}\n");
}

}  // namespace
}  // namespace starling::agent::cli
