#include "agent/config_changes.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

std::vector<std::string> texts(const Config& before, const Config& after) {
  std::vector<std::string> texts;
  for (const ConfigChange& change : config_changes(before, after)) texts.push_back(to_text(change));
  return texts;
}

TEST(ConfigChanges, NoneOfTheSame) {
  EXPECT_TRUE(config_changes({}, {}).empty());
}

TEST(ConfigChanges, WhatReloadsAndWhatDoesNot) {
  Config before, after;
  after.log_level = "debug";
  after.tags = {{"a", "1"}, {"b", "2"}};
  after.event_handlers = {"x.sh"};
  after.leave_on_terminate = true;
  after.bind = "10.0.0.1";
  after.retry_interval = std::chrono::seconds(5);
  EXPECT_EQ(
      texts(before, after),
      (std::vector<std::string>{"bind: 0.0.0.0 -> 10.0.0.1 (takes effect at the next start)",
                                "event_handlers: [] -> [x.sh]", "leave_on_terminate: false -> true",
                                "log_level: INFO -> DEBUG",
                                "retry_interval: 30s -> 5s (takes effect at the next start)",
                                "tags: [] -> [a=1, b=2]"}));
}

TEST(ConfigChanges, SecretsStaySecret) {
  Config before, after;
  before.rpc_auth = "old";
  after.rpc_auth = "new";
  after.encrypt_key = "key";
  EXPECT_EQ(texts(before, after),
            (std::vector<std::string>{
                "encrypt_key: '' -> (hidden) (takes effect at the next start)",
                "rpc_auth: (hidden) -> (hidden) (takes effect at the next start)"}));
}

}  // namespace
}  // namespace starling::agent
