// One turn through the lane: what goes in and what comes out.
#include "core/engine/lane.h"

#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"
#include "tests/support/peer_messages.h"

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

TEST(Lane, IsNotWokenForGossipWhileThereIsNone) {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.probe_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  options.traces = {};
  ArenaBlock memory(Engine::footprint(options) + 4096);
  const Instant start{1s};
  auto engine = Engine::create(options, memory.arena().bytes(Engine::footprint(options)), start);
  ASSERT_TRUE(engine);
  std::vector<std::byte> rooms(Lane::blanks_wanted * options.packet_room_bytes());
  std::array<TxPacket, Lane::blanks_wanted> blanks;
  for (std::size_t i = 0; i < blanks.size(); ++i) {
    blanks[i].room =
        MutableBytes(rooms).subspan(i * options.packet_room_bytes(), options.packet_room_bytes());
  }
  const auto next_after = [&](Instant now, std::span<const RxPacket> rx) {
    const PollResult turn = engine->lane().poll(now, rx, blanks);
    return turn.next_due - now;
  };
  // Its own alive message waits for somebody to hear it.
  EXPECT_LE(next_after(start, {}), options.swim.gossip_interval);
  const auto encoded = [](const Alive& alive) {
    std::vector<std::byte> room(512);
    Writer out(room);
    encode(alive, out);
    room.resize(out.size());
    return room;
  };
  const std::vector<std::byte> news = encoded(Peer{.name = "a", .host = 2}.alive(1));
  const RxPacket packet{.from = {}, .bytes = news, .cookie = 0};
  (void)engine->lane().poll(start + 1s, std::span(&packet, 1), blanks);
  Instant now = start + 1s;
  for (int tick = 0; tick < 20; ++tick) {
    now += options.swim.gossip_interval;
    (void)engine->lane().poll(now, {}, blanks);
  }
  EXPECT_GT(next_after(now, {}), options.swim.gossip_interval) << "all is said";
  // Fresh news goes at the tick that would have come anyway.
  const std::vector<std::byte> more = encoded(Peer{.name = "b", .host = 3}.alive(1));
  const RxPacket second{.from = {}, .bytes = more, .cookie = 0};
  EXPECT_LE(next_after(now + 30ms, std::span(&second, 1)), options.swim.gossip_interval - 30ms);
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
