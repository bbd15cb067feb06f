// Options and their bounds.
#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"
#include "tests/support/peer_messages.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

TEST(SwimLimits, RefusesOptionsThatCannotRun) {
  EngineOptions options = LoneNode::options_named("");
  EXPECT_TRUE(problem_with(options).has_value());
  options = LoneNode::options_named("me");
  EXPECT_EQ(problem_with(options), std::nullopt);
  options.meta.assign(513, 'x');
  EXPECT_EQ(problem_with(options), "Encoded length of tags exceeds limit of 512 bytes");
  options.meta.clear();
  options.serf.user_event_bytes_max = 9217;
  EXPECT_EQ(problem_with(options), "user event size limit exceeds limit of 9216 bytes");
}

TEST(SwimLimits, BoundsTheByteRateOfGossip) {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.gossip_bytes_per_second_max = 1'000'000'000;
  EXPECT_EQ(problem_with(options), std::nullopt);
  options.swim.gossip_bytes_per_second_max = 1'000'000'001;
  EXPECT_EQ(problem_with(options),
            "gossip_bytes_per_second_max is 1000000001, the bound is 1000000000");
}

TEST(SwimLimits, BoundsTheStreamsOfOneSource) {
  EngineOptions options = LoneNode::options_named("me");
  options.capacity.streams_max = 64;
  EXPECT_EQ(options.capacity.source_streams(), 48u);
  options.capacity.streams_per_source_max = 65;
  EXPECT_EQ(problem_with(options), "streams_per_source_max is 65, the bound is 64");
  options.capacity.streams_per_source_max = 64;
  EXPECT_EQ(problem_with(options), std::nullopt);
}

TEST(SwimLimits, NamesANetworkThatIsNone) {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.cidrs_allowed = {"10.0.0.0/8", "10.0.0.0/33"};
  EXPECT_EQ(problem_with(options),
            "cidrs_allowed: \"10.0.0.0/33\" is not a network, or is one too many");
  options.swim.cidrs_allowed.pop_back();
  EXPECT_EQ(problem_with(options), std::nullopt);
}

}  // namespace
}  // namespace starling::test
