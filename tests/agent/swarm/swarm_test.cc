// The whole of it: a small swarm from options to exit status.
#include "agent/swarm/swarm.h"

#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "tests/agent/swarm/small_swarm.h"
#include "tests/agent/temporary_folder.h"

namespace starling::agent::swarm {
namespace {

TEST(Swarm, FormsLosesTwoMembersAndPasses) {
  const TemporaryFolder folder;
  SwarmOptions options = small_options("kill 2");
  options.encrypt = true;
  options.json_path = folder.path("swarm.json");
  std::ostringstream out;
  SwarmConsole console{.out = out};
  EXPECT_EQ(run_swarm(options, console), 0) << out.str();
  EXPECT_NE(out.str().find("passed: 1 of 1 acts"), std::string::npos) << out.str();

  // What docs/swarm-json.md promises.
  const auto json = nlohmann::json::parse(std::ifstream(options.json_path));
  EXPECT_EQ(json["schema"], 1);
  for (const std::string key : {"passed", "interrupted", "took_s", "options", "bounds", "build_up",
                                "acts", "agreement", "counters", "timeline"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json["acts"][0]["reported_by_all"], 2);
  EXPECT_EQ(json["acts"][0]["false_failures"], 0);
  EXPECT_EQ(json["agreement"]["alive"], 58);
  EXPECT_EQ(json["agreement"]["failed"], 2);
  EXPECT_GT(json["counters"]["pings_sent"], 0);
  EXPECT_FALSE(json["timeline"].empty());
  EXPECT_EQ(json["counters"]["packets_dropped"], 0) << "all engines have the key";
}

TEST(Swarm, FailsWhenTimeIsUp) {
  SwarmOptions options = small_options("kill 2");
  options.timeout = std::chrono::milliseconds(300);
  std::ostringstream out;
  SwarmConsole console{.out = out};
  EXPECT_EQ(run_swarm(options, console), 1);
}

TEST(Swarm, EndsWhenInterrupted) {
  SwarmOptions options = small_options("wait 1h");
  std::ostringstream out;
  int ticks = 0;
  SwarmConsole console{.out = out, .interrupted = [&] { return ++ticks > 5; }};
  EXPECT_EQ(run_swarm(options, console), 1);
  EXPECT_TRUE(out.str().ends_with("interrupted\n")) << out.str();
}

TEST(Swarm, SaysWhatIsWrong) {
  std::ostringstream out;
  SwarmConsole console{.out = out};
  SwarmOptions options = small_options();
  options.engines = 1;
  EXPECT_EQ(run_swarm(options, console), 1);
  EXPECT_TRUE(out.str().starts_with("Error: engines is 1")) << out.str();
  out.str("");
  options = small_options();
  options.memory_bytes_max = 1;
  EXPECT_EQ(run_swarm(options, console), 1);
  EXPECT_TRUE(out.str().starts_with("Error: 60 members on 3 engines need")) << out.str();
}

TEST(Swarm, UnwritableJsonIsAFailure) {
  SwarmOptions options = small_options();
  options.json_path = "/nowhere/at/all.json";
  std::ostringstream out;
  SwarmConsole console{.out = out};
  EXPECT_EQ(run_swarm(options, console), 1);
  EXPECT_TRUE(out.str().ends_with("Error: cannot write /nowhere/at/all.json\n")) << out.str();
}

TEST(Plan, FollowsFromTheOptions) {
  SwarmOptions options;
  options.members = 1'000'000;
  options.engines = 32;
  const SwarmPlan plan = make_plan(options, 2);
  EXPECT_EQ(plan.threads, 2u);
  EXPECT_EQ(plan.swim.probe_interval, plan.period.period);
  EXPECT_GT(plan.period.period, std::chrono::seconds(1));
  options.threads = 64;
  EXPECT_EQ(make_plan(options, 2).threads, 32u) << "a thread needs an engine";
  EXPECT_EQ(make_plan(options, 2).period.period, plan.period.period) << "cores do the work";
  options.period = std::chrono::seconds(1);
  EXPECT_EQ(make_plan(options, 2).period.why, "as asked for");
}

}  // namespace
}  // namespace starling::agent::swarm
