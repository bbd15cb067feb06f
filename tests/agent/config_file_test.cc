#include "agent/config_file.h"

#include <gtest/gtest.h>

#include "tests/agent/temporary_folder.h"

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

std::string file_error_of(std::string_view json) {
  const auto config = decode_config(json);
  return config ? "" : config.error();
}

TEST(ConfigFile, KeysInAnyCase) {
  const auto config = decode_config(R"({"NODE_NAME": "zz", "Tags": {"a": "b"}, "protocol": 4,
    "retry_interval": "5s", "start_join": ["x", "y"], "leave_on_terminate": true,
    "rpc_auth": null} trailing)");
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->node_name, "zz");
  EXPECT_EQ(config->tags, (Tags{{"a", "b"}}));
  EXPECT_EQ(config->protocol, 4);
  EXPECT_EQ(config->retry_interval, 5s);
  EXPECT_EQ(config->start_join, (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(config->leave_on_terminate);
  EXPECT_FALSE(config->rpc_auth);
}

// The texts of the real decoder.
TEST(ConfigFile, ErrorsAreSerfs) {
  EXPECT_EQ(file_error_of(R"({"foo":1,"bar":2})"),
            "1 error(s) decoding:\n\n* '' has invalid keys: bar, foo");
  EXPECT_EQ(file_error_of(R"({"node_name":5})"),
            "1 error(s) decoding:\n\n* 'node_name' expected type 'string', got unconvertible type "
            "'float64', value: '5'");
  EXPECT_EQ(file_error_of(R"({"protocol":"x"})"),
            "1 error(s) decoding:\n\n* 'protocol' expected type 'int', got unconvertible type "
            "'string', value: 'x'");
  EXPECT_EQ(file_error_of(R"({"tags":["a"]})"),
            "1 error(s) decoding:\n\n* 'tags' expected a map, got 'slice'");
  EXPECT_EQ(file_error_of(R"({"leave_on_terminate":"yes"})"),
            "1 error(s) decoding:\n\n* 'leave_on_terminate' expected type 'bool', got "
            "unconvertible type 'string', value: 'yes'");
  EXPECT_EQ(file_error_of(R"({"retry_interval":"5x"})"),
            "time: unknown unit \"x\" in duration \"5x\"");
  EXPECT_EQ(file_error_of(R"({"start_join":"a"})"),
            "1 error(s) decoding:\n\n* 'start_join': source data must be an array or slice, got "
            "string");
  EXPECT_EQ(file_error_of(R"({"start_join":[1]})"),
            "1 error(s) decoding:\n\n* 'start_join[0]' expected type 'string', got unconvertible "
            "type 'float64', value: '1'");
  EXPECT_EQ(file_error_of(R"([1])"), "'' expected a map, got 'slice'");
  EXPECT_EQ(file_error_of(""), "EOF");
  EXPECT_EQ(file_error_of(R"({"node_name":5,"protocol":"x","tags":{"a":1,"b":2}})"),
            "4 error(s) decoding:\n\n"
            "* 'node_name' expected type 'string', got unconvertible type 'float64', value: '5'\n"
            "* 'protocol' expected type 'int', got unconvertible type 'string', value: 'x'\n"
            "* 'tags[a]' expected type 'string', got unconvertible type 'float64', value: '1'\n"
            "* 'tags[b]' expected type 'string', got unconvertible type 'float64', value: '2'");
  EXPECT_TRUE(file_error_of("{bad").starts_with("parse error at line 1, column 2"));
  EXPECT_FALSE(file_error_of(std::string(100'000, '[')).empty());
}

TEST(ConfigFile, FoldersByNameOneLevelDeep) {
  const TemporaryFolder folder;
  folder.write("b.json", R"({"node_name":"b"})");
  folder.write("a.json", R"({"node_name":"a"})");
  folder.write("c.txt", "not json");
  std::filesystem::create_directory(folder.path("d.json"));
  const auto configs = read_config_files({{folder.path(""), true}});
  ASSERT_TRUE(configs) << configs.error();
  ASSERT_EQ(configs->size(), 2U);
  EXPECT_EQ((*configs)[0].node_name, "a");
  EXPECT_EQ((*configs)[1].node_name, "b");
}

TEST(ConfigFile, ErrorsNameTheFile) {
  EXPECT_EQ(read_config_files({{"/nonexistent", false}}).error(),
            "Error reading '/nonexistent': open /nonexistent: no such file or directory");
  EXPECT_EQ(read_config_files({{"/nonexistent", true}}).error(),
            "Error reading '/nonexistent': open /nonexistent: no such file or directory");
  const TemporaryFolder folder;
  const std::string path = folder.write("x.json", R"({"foo":1})");
  EXPECT_EQ(read_config_files({{path, false}}).error(),
            "Error decoding '" + path +
                "': 1 error(s) decoding:\n\n* '' has invalid keys: foo\n\n" + path +
                ":1: \"foo\" is not a key of the configuration");
}

TEST(ConfigFile, FaultsWithTheirLines) {
  const auto config = decode_config(R"({
  "node_name": 5,
  "Fooo": true,
  "tags": {
    "a": "b",
    "c": 1
  },
  "retry_interval": "5x",
  "start_join": ["x",
    7],
  "mdns": {"interface": "eth0",
    "speed": 3}
})",
                                    "a.json");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().substr(config.error().find("\n\na.json")),
            "\n\na.json:2: node_name must be a string, not a number\n"
            "a.json:3: \"Fooo\" is not a key of the configuration\n"
            "a.json:6: tags[c] must be a string, not a number\n"
            "a.json:8: retry_interval: time: unknown unit \"x\" in duration \"5x\"\n"
            "a.json:10: start_join[1] must be a string, not a number\n"
            "a.json:12: \"speed\" is not a key of mdns");
  EXPECT_EQ(decode_config("{\"protocol\":\n true}", "f").error(),
            "1 error(s) decoding:\n\n* 'protocol' expected type 'int', got unconvertible type "
            "'bool', value: 'true'\n\nf:1: protocol must be a number, not true or false");
}

TEST(ConfigFile, EveryFileOfAFolderIsLookedAt) {
  const TemporaryFolder folder;
  folder.write("a.json", R"({"x":1})");
  folder.write("b.json", R"({"node_name":"b"})");
  folder.write("c.json", R"({"y":1})");
  const auto faults = config_faults({folder.path(""), true});
  ASSERT_EQ(faults.size(), 2U);
  EXPECT_NE(faults[0].find("a.json:1: \"x\""), std::string::npos) << faults[0];
  EXPECT_NE(faults[1].find("c.json:1: \"y\""), std::string::npos) << faults[1];
  EXPECT_EQ(config_faults({"/nonexistent", true}).size(), 1U);
}

TEST(ConfigFile, DiscoveryAndTelemetry) {
  const auto config = decode_config(R"({"discover":"prod","enable_syslog":true,
    "syslog_facility":"DAEMON","statsd_addr":"a:1","statsite_addr":"b:2",
    "disable_name_resolution":true,"validate_node_names":true,
    "mdns":{"interface":"eth1","disable_ipv6":true}})");
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->discover, "prod");
  EXPECT_TRUE(config->enable_syslog);
  EXPECT_EQ(config->syslog_facility, "DAEMON");
  EXPECT_EQ(config->statsd_addr, "a:1");
  EXPECT_EQ(config->statsite_addr, "b:2");
  EXPECT_TRUE(config->disable_name_resolution && config->validate_node_names);
  EXPECT_EQ(config->mdns_interface, "eth1");
  EXPECT_TRUE(config->mdns_disable_ipv6 && !config->mdns_disable_ipv4);
}

}  // namespace
}  // namespace starling::agent
