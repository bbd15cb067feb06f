#include "sim/probe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace starling::sim {
namespace {

const ProbeOptions small{.nodes = 8, .repeats = 2, .victims = 2, .profile = Profile::local};

TEST(Probe, EverySurvivorDetectsEveryVictim) {
  const std::vector<ProbeSample> samples = probe_detection(small);
  ASSERT_EQ(samples.size(), 4U);
  for (const ProbeSample& sample : samples) {
    EXPECT_EQ(sample.observers, 6U);
    EXPECT_EQ(sample.milliseconds.size(), 6U);
    EXPECT_TRUE(std::is_sorted(sample.milliseconds.begin(), sample.milliseconds.end()));
    EXPECT_GT(sample.milliseconds.front(), 3000) << "the shortest suspicion of the local profile";
  }
}

TEST(Probe, EveryNodeGetsAnUpdateSoon) {
  for (const ProbeSample& sample : probe_dissemination(small)) {
    EXPECT_EQ(sample.milliseconds.size(), 7U);
    EXPECT_LT(sample.milliseconds.front(), 500);
  }
}

TEST(Probe, WritesTheShapeThatTheComparisonReads) {
  const std::vector<ProbeSample> samples{
      {.subject = "n001", .observers = 2, .milliseconds = {10.5, 20}},
      {.subject = "n002", .observers = 2, .milliseconds = {}}};
  const auto detections = nlohmann::json::parse(detections_to_json(small, samples));
  EXPECT_EQ(detections["nodes"], 8);
  EXPECT_EQ(detections["profile"], "local");
  ASSERT_EQ(detections["detections"].size(), 2U);
  EXPECT_EQ(detections["detections"][0]["victim"], "n001");
  EXPECT_EQ(detections["detections"][0]["all_ms"], 20.0);
  EXPECT_EQ(detections["detections"][0]["observers_ms"].size(), 2U);
  EXPECT_EQ(detections["detections"][1]["first_ms"], -1.0);
  EXPECT_EQ(detections["detections"][1]["all_ms"], -1.0);
  const auto updates = nlohmann::json::parse(disseminations_to_json(small, samples));
  EXPECT_EQ(updates["disseminations"][0]["times_ms"][0], 10.5);
}

}  // namespace
}  // namespace starling::sim
