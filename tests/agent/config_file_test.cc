#include "agent/config_file.h"

#include <gtest/gtest.h>

#include "tests/agent/temporary_folder.h"

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

std::string error_of(std::string_view json) {
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
  EXPECT_EQ(error_of(R"({"foo":1,"bar":2})"),
            "1 error(s) decoding:\n\n* '' has invalid keys: bar, foo");
  EXPECT_EQ(error_of(R"({"node_name":5})"),
            "1 error(s) decoding:\n\n* 'node_name' expected type 'string', got unconvertible type "
            "'float64', value: '5'");
  EXPECT_EQ(error_of(R"({"protocol":"x"})"),
            "1 error(s) decoding:\n\n* 'protocol' expected type 'int', got unconvertible type "
            "'string', value: 'x'");
  EXPECT_EQ(error_of(R"({"tags":["a"]})"),
            "1 error(s) decoding:\n\n* 'tags' expected a map, got 'slice'");
  EXPECT_EQ(error_of(R"({"leave_on_terminate":"yes"})"),
            "1 error(s) decoding:\n\n* 'leave_on_terminate' expected type 'bool', got "
            "unconvertible type 'string', value: 'yes'");
  EXPECT_EQ(error_of(R"({"retry_interval":"5x"})"), "time: unknown unit \"x\" in duration \"5x\"");
  EXPECT_EQ(error_of(R"({"start_join":"a"})"),
            "1 error(s) decoding:\n\n* 'start_join': source data must be an array or slice, got "
            "string");
  EXPECT_EQ(error_of(R"({"start_join":[1]})"),
            "1 error(s) decoding:\n\n* 'start_join[0]' expected type 'string', got unconvertible "
            "type 'float64', value: '1'");
  EXPECT_EQ(error_of(R"([1])"), "'' expected a map, got 'slice'");
  EXPECT_EQ(error_of(""), "EOF");
  EXPECT_EQ(error_of(R"({"node_name":5,"protocol":"x","tags":{"a":1,"b":2}})"),
            "4 error(s) decoding:\n\n"
            "* 'node_name' expected type 'string', got unconvertible type 'float64', value: '5'\n"
            "* 'protocol' expected type 'int', got unconvertible type 'string', value: 'x'\n"
            "* 'tags[a]' expected type 'string', got unconvertible type 'float64', value: '1'\n"
            "* 'tags[b]' expected type 'string', got unconvertible type 'float64', value: '2'");
  EXPECT_TRUE(error_of("{bad").starts_with("parse error at line 1, column 2"));
  EXPECT_FALSE(error_of(std::string(100'000, '[')).empty());
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
            "Error decoding '" + path + "': 1 error(s) decoding:\n\n* '' has invalid keys: foo");
}

}  // namespace
}  // namespace starling::agent
