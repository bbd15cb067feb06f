#include "agent/swarm/timing.h"

#include <gtest/gtest.h>

namespace starling::agent::swarm {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Timing, SmallSwarmsRunAtTheProfilesPace) {
  for (const Profile profile : {Profile::lan, Profile::wan, Profile::local}) {
    const PeriodChoice choice = choose_period(profile, 1'000, 2, microseconds(10));
    EXPECT_EQ(choice.period, SwimOptions::of(profile).probe_interval);
    const SwimOptions swim = swim_options(profile, choice.period, {1'000, 4});
    const SwimOptions own = SwimOptions::of(profile);
    EXPECT_EQ(swim.probe_timeout, own.probe_timeout);
    EXPECT_EQ(swim.gossip_interval, own.gossip_interval);
    EXPECT_EQ(swim.push_pull_interval, own.push_pull_interval);
  }
}

TEST(Timing, LargeOnesKeepTheMachineAtSixtyPercent) {
  for (const unsigned cores : {1u, 2u, 16u}) {
    for (const std::uint32_t members : {500'000u, 1'000'000u, 10'000'000u}) {
      const PeriodChoice choice = choose_period(Profile::lan, members, cores, microseconds(20));
      const double busy =
          20e-6 * members / (std::chrono::duration<double>(choice.period).count() * cores);
      EXPECT_LE(busy, 0.6001);
      if (choice.period > seconds(1)) {
        EXPECT_GE(busy, 0.6 * 0.8);
      }
      EXPECT_EQ(choice.period % milliseconds(100), Duration::zero());
      EXPECT_NE(choice.why.find(std::to_string(members)), std::string::npos);
    }
  }
}

TEST(Timing, EncryptionAndSizeCost) {
  EXPECT_GT(probe_cost(1'000, true), probe_cost(1'000, false));
  EXPECT_GE(probe_cost(1'000'000, false), probe_cost(1'000, false));
}

TEST(Timing, EverythingStretchesWithThePeriod) {
  const SwimOptions slow = swim_options(Profile::lan, seconds(8), {1'000'000, 32});
  EXPECT_EQ(slow.probe_interval, seconds(8));
  EXPECT_EQ(slow.probe_timeout, seconds(4));
  EXPECT_EQ(slow.gossip_to_the_dead_time, seconds(240));
  EXPECT_EQ(slow.gossip_interval, milliseconds(200));
  EXPECT_EQ(slow.push_pull_interval, seconds(30));
  EXPECT_GE(slow.stream_timeout, seconds(20));
  const SwimOptions fast = swim_options(Profile::lan, milliseconds(100), {60, 3});
  EXPECT_EQ(fast.probe_timeout, milliseconds(50));
  EXPECT_EQ(fast.gossip_interval, milliseconds(20));
  EXPECT_EQ(fast.push_pull_interval, seconds(3));
  EXPECT_GE(fast.stream_timeout, seconds(10));
  EXPECT_EQ(serf_options(Profile::lan, milliseconds(100)).reconnect_interval, seconds(3));
}

TEST(Timing, StatementsAreRepeatedUntilAllEnginesHaveThem) {
  EXPECT_EQ(swim_options(Profile::lan, seconds(1), {1'000'000, 32}).retransmit_mult, 2u);
  EXPECT_EQ(swim_options(Profile::lan, seconds(1), {10'000, 32}).retransmit_mult, 3u);
  EXPECT_EQ(swim_options(Profile::lan, seconds(1), {60, 3}).retransmit_mult, 4u) << "the profile's";
  EXPECT_EQ(swim_options(Profile::local, seconds(1), {60, 3}).retransmit_mult, 2u);
}

TEST(Timing, BoundsFollowTheProtocol) {
  const Size size{1'000'000, 32};
  const SwimOptions swim = swim_options(Profile::lan, seconds(1), size);
  const Bounds bounds(swim, serf_options(Profile::lan, seconds(1)), size);
  EXPECT_EQ(bounds.sweep, seconds(2 * 32 + 8));
  EXPECT_EQ(bounds.suspicion, seconds(4 * 6 * 6));
  EXPECT_GT(bounds.detection(1), bounds.sweep + bounds.suspicion);
  // More victims need more packets, in proportion.
  const Duration some = bounds.drain(100'000) - bounds.drain(0);
  const Duration more = bounds.drain(200'000) - bounds.drain(0);
  EXPECT_NEAR(static_cast<double>(more.count()), 2.0 * static_cast<double>(some.count()), 1e9);
  EXPECT_LT(bounds.spread(1), bounds.detection(1));
  EXPECT_GT(bounds.repair(1'000), bounds.detection(1'000));
}

}  // namespace
}  // namespace starling::agent::swarm
