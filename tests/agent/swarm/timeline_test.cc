#include "agent/swarm/timeline.h"

#include <gtest/gtest.h>

namespace starling::agent::swarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Instant at(Duration since) {
  return Instant{} + std::chrono::hours(1) + since;
}

// As of an instant of their own.
std::vector<Snapshot> engines(Duration since, std::uint64_t packets, std::uint32_t alive) {
  std::vector<Snapshot> both(2);
  for (Snapshot& engine : both) {
    engine.at = at(since);
    engine.stats.counters.packets_out = packets / 2;
    engine.stats.members_alive = alive;
    engine.stats.membership_queue = 5;
    engine.sightings.failed = 1;
  }
  both[1].stats.members_alive = alive + 10;
  return both;
}

TEST(Timeline, RatesAreBetweenSamples) {
  Timeline timeline;
  timeline.take(at({}), engines({}, 1'000, 50), {});
  EXPECT_EQ(timeline.newest().packets, 0);
  const Sample& next = timeline.take(at(seconds(2)), engines(milliseconds(1'600), 5'000, 60),
                                     {.processor = milliseconds(500)});
  EXPECT_DOUBLE_EQ(next.packets, 2'500) << "by the engines' own time";
  EXPECT_DOUBLE_EQ(next.processors, 0.25);
  EXPECT_EQ(next.at, seconds(2));
  EXPECT_EQ(next.known_min, 60u);
  EXPECT_EQ(next.known_max, 70u);
  EXPECT_DOUBLE_EQ(next.known_mean, 65);
  EXPECT_EQ(next.queued, 10u);
  EXPECT_EQ(next.failures, 2u);
  // Too soon for a new rate.
  EXPECT_DOUBLE_EQ(
      timeline.take(at(milliseconds(2'100)), engines(seconds(2), 9'000, 60), {}).packets, 2'500);
}

TEST(Timeline, AnEndedEngineKnowsNobodyButItsWorkCounts) {
  Timeline timeline;
  timeline.take(at({}), engines({}, 0, 50), {});
  auto both = engines(seconds(1), 4'000, 50);
  both[0].ended = true;
  const Sample& sample = timeline.take(at(seconds(1)), both, {});
  EXPECT_EQ(sample.known_min, 60u);
  EXPECT_DOUBLE_EQ(sample.packets, 4'000);
}

TEST(Timeline, StaysBoundedAndInOrder) {
  Timeline timeline;
  for (int i = 0; i < 50'000; ++i) {
    timeline.take(at(milliseconds(250) * i),
                  engines(milliseconds(250) * i, static_cast<std::uint64_t>(i), 50), {});
  }
  const auto& samples = timeline.samples();
  EXPECT_LE(samples.size(), Timeline::samples_max);
  EXPECT_GT(samples.size(), Timeline::samples_max / 4);
  EXPECT_EQ(samples.front().at, Duration::zero());
  EXPECT_GT(samples.back().at, seconds(12'000));
  for (std::size_t i = 1; i < samples.size(); ++i) EXPECT_LT(samples[i - 1].at, samples[i].at);
}

TEST(ProcessUsage, IsNotNothing) {
  const ProcessUsage usage = process_usage();
  EXPECT_GT(usage.resident_bytes, 1u << 20);
}

}  // namespace
}  // namespace starling::agent::swarm
