#include "agent/swarm/watch.h"

#include <gtest/gtest.h>

namespace starling::agent::swarm {
namespace {

using std::chrono::milliseconds;

constexpr MemberEventKind failed = MemberEventKind::failed;

Instant at(int ms) {
  return Instant{} + milliseconds(1'000 + ms);
}

Watch three_engines(std::vector<std::uint32_t> subjects) {
  return Watch({.expected = failed, .members = 100, .engines = 3, .start = at(0)},
               std::move(subjects));
}

TEST(Watch, MeasuresFromTheEventToEachEngine) {
  Watch watch = three_engines({7, 50});
  watch.happened(7, at(10));
  watch.suspected(7, at(40));
  watch.suspected(7, at(30));
  watch.suspected(7, at(60));
  watch.reported(1, 7, failed, at(110));
  watch.reported(0, 7, failed, at(130));
  watch.reported(2, 7, failed, at(160));
  EXPECT_EQ(watch.happened_count(), 1u);
  EXPECT_EQ(watch.reported_count(1), 1u);

  const Watch::Result result = watch.result({true, true, true});
  EXPECT_EQ(result.happened, 1u);
  EXPECT_EQ(result.reported_by_all, 1u);
  EXPECT_EQ(result.suspicion.max(), milliseconds(20));
  EXPECT_EQ(result.detection.max(), milliseconds(100));
  EXPECT_EQ(result.spread.count(), 2u);
  EXPECT_EQ(result.spread.min(), milliseconds(20));
  EXPECT_EQ(result.spread.max(), milliseconds(50));
  EXPECT_EQ(result.last.max(), milliseconds(150));
}

TEST(Watch, IgnoresWhatWasNotAskedFor) {
  Watch watch = three_engines({7});
  watch.reported(0, 7, failed, at(5));  // before it happened
  watch.happened(8, at(10));
  watch.happened(99'999, at(10));
  watch.happened(7, at(20));
  watch.happened(7, at(90));  // only the first counts
  watch.reported(0, 7, MemberEventKind::update, at(30));
  watch.reported(0, 8, failed, at(30));
  watch.suspected(8, at(30));
  EXPECT_EQ(watch.happened_count(), 1u);
  EXPECT_EQ(watch.reported_count(0), 0u);
  watch.reported(0, 7, failed, at(40));
  watch.reported(0, 7, failed, at(70));
  EXPECT_EQ(watch.reported_count(0), 1u);
  EXPECT_EQ(watch.result({true, false, false}).detection.max(), milliseconds(20));
}

TEST(Watch, CountsWhatIsMissing) {
  Watch watch = three_engines({1, 2, 3});
  for (const std::uint32_t member : {1u, 2u, 3u}) watch.happened(member, at(0));
  for (const std::uint32_t engine : {0u, 1u}) watch.reported(engine, 1, failed, at(10));
  watch.reported(0, 2, failed, at(10));
  const Watch::Result of_all = watch.result({true, true, true});
  EXPECT_EQ(of_all.reported_by_all, 0u);
  EXPECT_EQ(of_all.reported_by_none, 1u);
  EXPECT_EQ(of_all.last.count(), 0u);
  // An engine that has ended is not asked.
  EXPECT_EQ(watch.result({true, true, false}).reported_by_all, 1u);
}

}  // namespace
}  // namespace starling::agent::swarm
