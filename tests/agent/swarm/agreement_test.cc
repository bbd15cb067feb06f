#include "agent/swarm/agreement.h"

#include <gtest/gtest.h>

namespace starling::agent::swarm {
namespace {

Snapshot sees(std::uint32_t alive, std::uint32_t failed, int at_ms = 0) {
  Snapshot snapshot;
  snapshot.at = Instant{} + std::chrono::milliseconds(at_ms);
  snapshot.stats.members_alive = alive;
  snapshot.stats.members_failed = failed;
  return snapshot;
}

TEST(Agreement, OneView) {
  const std::vector<Snapshot> engines = {sees(9, 1, 30), sees(9, 1, 10), sees(9, 1, 20)};
  const Agreement all = agreement(engines);
  EXPECT_TRUE(all.agreed());
  EXPECT_EQ(all.engines, 3u);
  EXPECT_EQ(all.alive, 9u);
  EXPECT_EQ(all.failed, 1u);
  EXPECT_EQ(all.oldest, Instant{} + std::chrono::milliseconds(10));
}

TEST(Agreement, TheMostCommonView) {
  const std::vector<Snapshot> engines = {sees(10, 0), sees(9, 1), sees(9, 1), sees(8, 2)};
  const Agreement some = agreement(engines);
  EXPECT_FALSE(some.agreed());
  EXPECT_EQ(some.views, 3u);
  EXPECT_EQ(some.holders, 2u);
  EXPECT_EQ(some.alive, 9u);
}

TEST(Agreement, TheEndedDoNotCount) {
  std::vector<Snapshot> engines = {sees(9, 1), sees(10, 0)};
  engines[1].ended = true;
  EXPECT_TRUE(agreement(engines).agreed());
  engines[0].ended = true;
  EXPECT_FALSE(agreement(engines).agreed());
  EXPECT_FALSE(agreement({}).agreed());
}

TEST(Agreement, LeftIsNotFailed) {
  std::vector<Snapshot> engines = {sees(9, 1), sees(9, 0)};
  engines[1].stats.members_left = 1;
  EXPECT_FALSE(agreement(engines).agreed());
}

}  // namespace
}  // namespace starling::agent::swarm
