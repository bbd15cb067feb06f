#include "tests/agent/cli/replay.h"
#include "tests/agent/temporary_folder.h"

namespace starling::agent::cli {
namespace {

TEST(ConfigCommand, SoundFiles) {
  const TemporaryFolder folder;
  folder.write("a.json", R"({"node_name":"a","rejoin_after_leave":true})");
  const std::string file = folder.write("b.txt", R"({"tags":{"x":"y"}})");
  const Outcome outcome = run_command(config_command(), {"check", folder.path(""), file});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out,
            "Warning: 'RejoinAfterLeave' enabled without snapshot file\nConfiguration is valid!\n");
}

TEST(ConfigCommand, FaultsOfEveryFile) {
  const TemporaryFolder folder;
  folder.write("a.json", "{\n\"nod\": 1}");
  folder.write("b.json", "{\n\n\"protocol\": \"x\"}");
  const Outcome outcome = run_command(config_command(), {"check", folder.path("")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.out.find("a.json:2: \"nod\" is not a key"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("b.json:3: protocol must be a number"), std::string::npos)
      << outcome.out;
}

TEST(ConfigCommand, WhatCannotWorkTogether) {
  const TemporaryFolder folder;
  const std::string file = folder.write("a.json", R"({"log_level":"loud"})");
  const Outcome outcome = run_command(config_command(), {"check", file});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out,
            "Invalid log level: LOUD. Valid log levels are: [TRACE DEBUG INFO WARN ERR]\n");
}

TEST(ConfigCommand, AsJson) {
  const TemporaryFolder folder;
  const std::string good = folder.write("a.json", R"({"rejoin_after_leave":true})");
  EXPECT_EQ(run_command(config_command(), {"check", "-format=json", good}).out,
            R"({"valid":true,"faults":[],"warnings":["Warning: 'RejoinAfterLeave' enabled without )"
            "snapshot file\"]}\n");
  const std::string bad = folder.write("b.json", R"({"log_level":"loud"})");
  const Outcome outcome = run_command(config_command(), {"-format", "json", "check", bad});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["valid"], false);
}

TEST(ConfigCommand, WantsCheckAndAPath) {
  for (const auto& arguments : {std::vector<std::string>{}, {"check"}, {"show", "x"}}) {
    const Outcome outcome = run_command(config_command(), arguments);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_TRUE(outcome.out.starts_with("What to do must be said")) << outcome.out;
  }
}

}  // namespace
}  // namespace starling::agent::cli
