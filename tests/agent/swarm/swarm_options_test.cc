#include "agent/swarm/swarm_options.h"

#include <gtest/gtest.h>

namespace starling::agent::swarm {
namespace {

std::expected<SwarmOptions, std::string> read(const std::vector<std::string>& arguments) {
  SwarmFlags flags;
  FlagSet set = flags.flags();
  const auto rest = set.parse(arguments);
  if (!rest) return std::unexpected(rest.error().text);
  return flags.finish();
}

std::string error_of(const std::vector<std::string>& arguments) {
  const auto options = read(arguments);
  return options ? "none" : options.error();
}

TEST(SwarmOptions, Defaults) {
  const auto options = read({});
  ASSERT_TRUE(options) << options.error();
  EXPECT_EQ(options->members, 1'000u);
  EXPECT_EQ(options->engines, 16u);
  EXPECT_EQ(options->port, SwarmPort::memory);
  EXPECT_TRUE(options->acts.empty());
  EXPECT_TRUE(options->view);
}

TEST(SwarmOptions, EveryFlag) {
  const auto options =
      read({"--members", "100000", "--engines=32", "--threads=4", "--port=sockets", "--period=2s",
            "--profile=wan", "--encrypt", "--compress", "--seed=9", "--json", "out.json",
            "--no-view", "--limit-memory=1.5", "--timeout=10m"});
  ASSERT_TRUE(options) << options.error();
  EXPECT_EQ(options->members, 100'000u);
  EXPECT_EQ(options->engines, 32u);
  EXPECT_EQ(options->threads, 4u);
  EXPECT_EQ(options->port, SwarmPort::sockets);
  EXPECT_EQ(options->period, std::chrono::seconds(2));
  EXPECT_EQ(options->profile, Profile::wan);
  EXPECT_TRUE(options->encrypt);
  EXPECT_TRUE(options->compress);
  EXPECT_EQ(options->seed, 9u);
  EXPECT_EQ(options->json_path, "out.json");
  EXPECT_FALSE(options->view);
  EXPECT_EQ(options->memory_bytes_max, 3ull << 29);
  EXPECT_EQ(options->timeout, std::chrono::minutes(10));
}

TEST(SwarmOptions, ActsInOrder) {
  const auto options =
      read({"--act", "wait 1s", "--loss=5%", "--kill", "3", "--churn=2/s:3s", "--acts",
            "update 4; leave 2", "--kill-engine", "--partition=1m", "--act", "kill 1"});
  ASSERT_TRUE(options) << options.error();
  std::vector<std::string> texts;
  for (const Act& act : options->acts) texts.push_back(act.text);
  EXPECT_EQ(texts,
            (std::vector<std::string>{"kill 3", "kill-engine", "partition 1m", "churn 2/s:3s",
                                      "loss 5%", "update 4", "leave 2", "wait 1s", "kill 1"}));
}

TEST(SwarmOptions, RefusesWhatCannotBe) {
  EXPECT_NE(error_of({"--engines=1"}).find("engines is 1, it must be at least 2"),
            std::string::npos);
  EXPECT_NE(error_of({"--members=5"}).find("members is 5"), std::string::npos);
  EXPECT_NE(error_of({"--members=10000001"}).find("members is 10000001"), std::string::npos);
  EXPECT_NE(error_of({"--threads=1000"}).find("threads is 1000"), std::string::npos);
  EXPECT_NE(error_of({"--period=1ms"}).find("period is below 10ms"), std::string::npos);
  EXPECT_NE(error_of({"--kill=501"}).find("more than half"), std::string::npos);
  EXPECT_NE(error_of({"--kill=300", "--act=leave 201"}).find("leave 201"), std::string::npos);
  EXPECT_NE(error_of({"--act=update 1001"}).find("not so many"), std::string::npos);
  EXPECT_NE(error_of({"--engines=2", "--acts=kill-engine;kill-engine"}).find("more than half"),
            std::string::npos);
  EXPECT_NE(error_of({"--kill=x"}).find("act \"kill x\""), std::string::npos);
  for (const std::string flag :
       {"--members=x", "--members=-1", "--port=dpdk", "--profile=x", "--period=0s", "--period=5",
        "--limit-memory=0", "--seed=99999999999999999999", "--timeout=-1s"}) {
    EXPECT_NE(error_of({flag}).find("invalid value"), std::string::npos) << flag;
  }
  EXPECT_EQ(error_of({"--kill=500"}), "none");
}

TEST(SwarmOptions, PortNamesReadBack) {
  for (const SwarmPort port : {SwarmPort::memory, SwarmPort::uring, SwarmPort::sockets}) {
    EXPECT_EQ(swarm_port_from(to_text(port)), port);
  }
}

}  // namespace
}  // namespace starling::agent::swarm
