#include "agent/swarm/report.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/agent/swarm/small_swarm.h"

namespace starling::agent::swarm {
namespace {

class Reporting : public testing::Test {
 protected:
  Reporting() : plan_(make_plan(small_options("kill 3; kill-engine"), 2)) {
    result_.build_up = {.converged = true, .took = std::chrono::seconds(2), .exchanges = 5};
    ActResult kill{.act = plan_.options.acts[0],
                   .subjects = 3,
                   .passed = true,
                   .verdict = "all known",
                   .bound = std::chrono::seconds(60)};
    kill.times.happened = kill.times.reported_by_all = 3;
    kill.times.detection.record(std::chrono::milliseconds(900));
    result_.acts.push_back(kill);
    result_.acts.push_back({.act = plan_.options.acts[1], .engine = 2, .passed = true});
    result_.engines.resize(3);
    for (Snapshot& engine : result_.engines) {
      engine.stats.members_alive = 37;
      engine.stats.counters.pings_sent = 100;
    }
    result_.timeline.take(Instant{} + std::chrono::hours(1), result_.engines, {});
    result_.agreement = agreement(result_.engines);
  }
  SwarmPlan plan_;
  RunResult result_;
};

TEST_F(Reporting, Json) {
  const auto json = report_json(plan_, result_);
  EXPECT_EQ(json["schema"], report_schema);
  EXPECT_EQ(json["passed"], true);
  EXPECT_EQ(json["options"]["members"], 60);
  EXPECT_EQ(json["build_up"]["converged_s"], 2.0);
  ASSERT_EQ(json["acts"].size(), 2u);
  EXPECT_EQ(json["acts"][0]["act"], "kill 3");
  EXPECT_EQ(json["acts"][0]["first_report"]["count"], 1);
  EXPECT_EQ(json["acts"][0]["first_report"]["max_s"], 0.9);
  EXPECT_EQ(json["acts"][0]["first_report"]["distribution"][0][1], 1.0);
  EXPECT_EQ(json["acts"][1]["engine"], 2);
  EXPECT_FALSE(json["acts"][1].contains("first_report")) << "nothing was measured";
  EXPECT_EQ(json["agreement"]["alive"], 37);
  EXPECT_EQ(json["counters"]["pings_sent"], 300);
  EXPECT_EQ(json["counters"].size(), counter_count);
  EXPECT_EQ(json["timeline"].size(), 1u);
}

TEST_F(Reporting, SummaryAndVerdict) {
  const std::string text = summary(plan_, result_, false);
  for (const std::string_view part : {"60 members", "after 2.00 s: 5 exchanges", "✓ kill 3",
                                      "all known", "900.0 ms", "passed: 2 of 2 acts"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST_F(Reporting, OnlyAWholeSuccessIsOne) {
  EXPECT_TRUE(result_.passed());
  RunResult other = result_;
  other.acts[0].passed = false;
  EXPECT_FALSE(other.passed());
  EXPECT_NE(summary(plan_, other, false).find("FAILED: 1 of 2 acts"), std::string::npos);
  other = result_;
  other.build_up.converged = false;
  EXPECT_FALSE(other.passed());
  other = result_;
  other.interrupted = true;
  EXPECT_FALSE(other.passed());
  other = result_;
  other.agreement.views = 2;
  EXPECT_FALSE(other.passed());
  other = result_;
  other.engines[0].sightings.false_failures = 1;
  other.timeline.take(Instant{} + std::chrono::hours(2), other.engines, {});
  EXPECT_FALSE(other.passed());
}

}  // namespace
}  // namespace starling::agent::swarm
