// The memory of a shard is what its footprint says.
#include "core/shard/node.h"

#include <gtest/gtest.h>

#include "tests/support/arena_block.h"
#include "tests/support/lone_node.h"

namespace starling::test {
namespace {

TEST(NodeFootprint, IsExactlyWhatItTakes) {
  for (const std::uint32_t members : {1u, 64u, 16'384u, 1'000'000u}) {
    EngineOptions options = LoneNode::options_named("me");
    options.capacity.members_max = members;
    ArenaBlock memory(Node::footprint(options) + (1 << 20));
    auto [writer, reader] = make_ring(memory.arena(), 4096);
    const std::size_t before = memory.arena().used();
    const Node node(memory.arena(), options, Instant{}, EventWriter(std::move(writer)));
    const std::size_t used = memory.arena().used() - before;
    EXPECT_LE(used, Node::footprint(options)) << members;
    EXPECT_GE(used + 65'536, Node::footprint(options)) << members;
  }
}

TEST(NodeClocks, StartAtOneOrBeyondWhatWasSeenBefore) {
  EngineOptions options = LoneNode::options_named("me");
  EXPECT_EQ(LoneNode(options).stats().member_time, 1u);
  options.serf.member_clock = LamportTime{7};
  options.serf.event_clock = LamportTime{8};
  options.serf.query_clock = LamportTime{9};
  LoneNode restored(options);
  EXPECT_EQ(restored.stats().member_time, 8u);
  EXPECT_EQ(restored.stats().event_time, 9u);
  EXPECT_EQ(restored.stats().query_time, 10u);
}

TEST(NodeSequences, CarryTheShardAndNeverBecomeZero) {
  EngineOptions options = LoneNode::options_named("me");
  ArenaBlock memory(Node::footprint(options) + (1 << 20));
  auto [writer, reader] = make_ring(memory.arena(), 4096);
  Node node(memory.arena(), options, Instant{}, EventWriter(std::move(writer)));
  EXPECT_EQ(to_number(node.next_sequence()), 1u);
  node.sequence = 0x00ff'ffff;
  EXPECT_EQ(to_number(node.next_sequence()), 1u) << "the top 8 bits belong to the shard";
}

}  // namespace
}  // namespace starling::test
