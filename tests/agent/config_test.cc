#include "agent/config.h"

#include <map>

#include <gtest/gtest.h>

#include "tests/agent/temporary_folder.h"

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

std::expected<LoadedConfig, ConfigError> load(std::vector<std::string> arguments) {
  return load_config(arguments);
}

std::string refusal_of(std::vector<std::string> arguments) {
  const auto loaded = load_config(arguments);
  return loaded ? "" : loaded.error().text;
}

TEST(Config, Defaults) {
  const auto loaded = load({});
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(loaded->warnings.empty());
  EXPECT_EQ(loaded->config.bind, "0.0.0.0");
  EXPECT_EQ(loaded->config.rpc_addr, "127.0.0.1:7373");
  EXPECT_EQ(loaded->config.protocol, 5);
  EXPECT_EQ(loaded->config.retry_interval, 30s);
  EXPECT_TRUE(loaded->config.compression);
}

// Defaults <- files in order <- flags; tags merge, lists append, booleans only turn on.
TEST(Config, MergeOrder) {
  const TemporaryFolder folder;
  const std::string first = folder.write("1.json", R"({"node_name":"one","bind":"127.0.0.1",
    "tags":{"a":"1","b":"1"},"start_join":["x"],"leave_on_terminate":true,"protocol":3})");
  const std::string second = folder.write("2.json", R"({"node_name":"two","tags":{"b":"2"},
    "start_join":["y"],"leave_on_terminate":false,"bind":"","protocol":0})");
  const auto loaded = load({"-config-file", first, "-config-file=" + second, "-tag", "c=3", "-join",
                            "z", "-node", "three"});
  ASSERT_TRUE(loaded) << loaded.error().text;
  const Config& config = loaded->config;
  EXPECT_EQ(config.node_name, "three");
  EXPECT_EQ(config.bind, "127.0.0.1");
  EXPECT_EQ(config.protocol, 3);
  EXPECT_EQ(config.tags, (Tags{{"a", "1"}, {"b", "2"}, {"c", "3"}}));
  EXPECT_EQ(config.start_join, (std::vector<std::string>{"x", "y", "z"}));
  EXPECT_TRUE(config.leave_on_terminate);
}

TEST(Config, HostingFromFilesAndFlags) {
  const TemporaryFolder folder;
  const std::string file = folder.write("1.json", R"({"host_members":"a:3","hosted_max":9})");
  const auto of_file = load({"-config-file", file});
  ASSERT_TRUE(of_file) << of_file.error().text;
  EXPECT_EQ(of_file->config.host_members, "a:3");
  EXPECT_EQ(of_file->config.hosted_max, 9);
  const auto of_flags = load({"-config-file", file, "-host-members", "b:4", "-hosted-max", "10"});
  EXPECT_EQ(of_flags->config.host_members, "b:4");
  EXPECT_EQ(of_flags->config.hosted_max, 10);
  EXPECT_EQ(refusal_of({"-hosted-max", "-1"}),
            "hosted_max must be 1 to 1048576, or 0 to be chosen, not -1");
}

TEST(Config, CompressionIsTheFlagsAlone) {
  const TemporaryFolder folder;
  const std::string file = folder.write("1.json", R"({"enable_compression":false})");
  EXPECT_TRUE(load({"-config-file", file})->config.compression);
  EXPECT_FALSE(load({"-disable-compression"})->config.compression);
}

TEST(Config, ErrorsAreSerfs) {
  EXPECT_EQ(refusal_of({"-tag", "foo"}), "Error: Invalid tag: 'foo'");
  EXPECT_EQ(refusal_of({"-retry-interval", "1"}), "Error: time: missing unit in duration \"1\"");
  EXPECT_EQ(refusal_of({"-encrypt", "abc"}),
            "Invalid encryption key: illegal base64 data at input byte 0");
  EXPECT_EQ(refusal_of({"-encrypt", "MTIz", "-keyring-file", "x"}),
            "Encryption key not allowed while using a keyring");
  EXPECT_EQ(refusal_of({"-log-level", "foo"}),
            "Invalid log level: FOO. Valid log levels are: [TRACE DEBUG INFO WARN ERR]");
  EXPECT_EQ(refusal_of({"-profile", "foo"}), "Unknown profile: foo");
  EXPECT_EQ(refusal_of({"-event-handler", "foo=bar"}),
            "Invalid event script: Event 'foo' invoking 'bar'");
  EXPECT_EQ(refusal_of({"-io", "xdp"}), "Unknown -io: xdp");
  EXPECT_EQ(refusal_of({"-dpdk-args", "-m 32"}), "-dpdk-args goes with -io=dpdk only");
  EXPECT_EQ(refusal_of({"-io", "dpdk", "-dpdk-args", "-m 32"}), "");
  EXPECT_EQ(refusal_of({"-syslog=false"}), "");
}

TEST(Config, FlagErrorsWantTheHelp) {
  const auto wrong = load({"-x"});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, ConfigError::Kind::flags);
  EXPECT_EQ(wrong.error().text, "flag provided but not defined: -x");
  EXPECT_EQ(load({"-h"}).error().kind, ConfigError::Kind::help);
  EXPECT_EQ(refusal_of({"-retry-max", "x"}),
            "invalid value \"x\" for flag -retry-max: parse error");
}

TEST(Config, WhatSerfDoesNotKnowHasBoundsToo) {
  const auto loaded = load({"-event-handler-timeout", "0s", "-members-max", "100"});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.event_handler_timeout, 0s);
  EXPECT_EQ(loaded->config.members_max, 100);
  EXPECT_EQ(refusal_of({"-members-max", "-1"}), "members_max must be 1 to 16777216, not -1");
  EXPECT_EQ(refusal_of({"-event-handler-timeout", "-1s"}),
            "event_handler_timeout must not be negative");
}

TEST(Config, WhatRpcClientsMayTake) {
  const TemporaryFolder folder;
  const auto with = [&](const std::string& json) {
    return load({"-config-file", folder.write("1.json", json)});
  };
  const Config usual = with("{}")->config;
  EXPECT_EQ(usual.rpc_clients_max, 128);
  EXPECT_EQ(usual.rpc_request_size_limit, 1 << 20);
  EXPECT_EQ(usual.rpc_handshake_timeout, 10s);
  EXPECT_EQ(usual.rpc_request_timeout, 10s);
  EXPECT_EQ(usual.rpc_stall_timeout, 60s);
  const Config own = with(R"({"rpc_clients_max":5,"rpc_request_size_limit":20000,
      "rpc_handshake_timeout":"0s","rpc_request_timeout":"3s","rpc_stall_timeout":"4s"})")
                         ->config;
  EXPECT_EQ(own.rpc_clients_max, 5);
  EXPECT_EQ(own.rpc_request_size_limit, 20'000);
  EXPECT_EQ(own.rpc_handshake_timeout, 0s);
  EXPECT_EQ(own.rpc_request_timeout, 3s);
  EXPECT_EQ(own.rpc_stall_timeout, 4s);
  for (const auto& [json, error] : std::map<std::string, std::string>{
           {R"({"rpc_clients_max":0})", "rpc_clients_max must be 1 to 900, not 0"},
           {R"({"rpc_request_size_limit":1})",
            "rpc_request_size_limit must be 16384 to 67108864, not 1"},
           {R"({"rpc_stall_timeout":"-1s"})", "rpc_stall_timeout must not be negative"}}) {
    const auto refused = with(json);
    ASSERT_FALSE(refused) << json;
    EXPECT_EQ(refused.error().text, error);
  }
}

TEST(Config, WarningsAndCorrections) {
  const auto loaded =
      load({"-retry-interval", "100ms", "-broadcast-timeout", "1ms", "-rejoin", "-role", "web"});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.retry_interval, 1s);
  EXPECT_EQ(loaded->config.broadcast_timeout, 1s);
  EXPECT_EQ(loaded->config.tags, (Tags{{"role", "web"}}));
  EXPECT_EQ(loaded->warnings, (std::vector<std::string>{
                                  "Warning: 'BroadcastTimeout' is too low. Setting to 1s",
                                  "Warning: 'RetryInterval' is too low. Setting to 1s",
                                  "Deprecation warning: 'Role' has been replaced with 'Tags'",
                                  "Warning: 'RejoinAfterLeave' enabled without snapshot file"}));
}

TEST(Config, ASnapshotMakesRejoinMeaningful) {
  const auto loaded = load({"-snapshot", "file", "-rejoin"});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.snapshot_path, "file");
  EXPECT_TRUE(loaded->config.rejoin_after_leave);
  EXPECT_TRUE(loaded->warnings.empty());
}

}  // namespace
}  // namespace starling::agent
