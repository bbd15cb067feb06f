// One turn through the lane: what goes in and what comes out.
#include "core/engine/lane.h"

#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

TEST(Lane, SaysWhenToComeAgain) {
  EngineOptions options = LoneNode::options_named("me");
  ArenaBlock memory(Engine::footprint(options) + 4096);
  const Instant start{1s};
  auto engine = Engine::create(options, memory.arena().bytes(Engine::footprint(options)), start);
  ASSERT_TRUE(engine);
  const PollResult turn = engine->lane().poll(start, {}, {});
  EXPECT_GT(turn.next_due, start);
  EXPECT_LE(turn.next_due, start + options.swim.gossip_interval);
}

TEST(Lane, SaysWhetherTheOwnerHasSomethingToLookAt) {
  EngineOptions options = LoneNode::options_named("me");
  options.traces = {};
  ArenaBlock memory(Engine::footprint(options) + 4096);
  const Instant start{1s};
  auto engine = Engine::create(options, memory.arena().bytes(Engine::footprint(options)), start);
  ASSERT_TRUE(engine);
  EXPECT_TRUE(engine->lane().poll(start, {}, {}).news) << "its own member has joined";
  EXPECT_FALSE(engine->lane().poll(start + 1s, {}, {}).news);
  ASSERT_TRUE(engine->commands().send({.kind = Command::Kind::stats, .token = 1}));
  EXPECT_TRUE(engine->lane().poll(start + 2s, {}, {}).news);
}

TEST(Lane, HandsOutEachStreamOperationOnce) {
  LoneNode node = quiet_node();
  node.command(
      {.kind = Command::Kind::join, .token = 1, .endpoint = {IpAddress::v4(127, 0, 0, 2), 7946}});
  EXPECT_EQ(node.take_stream_ops().size(), 1u);
  node.turn();
  EXPECT_TRUE(node.take_stream_ops().empty());
}

}  // namespace
}  // namespace starling::test
