// When digests are kept, and with how much memory.
#include "core/shard/sync_state.h"

#include <gtest/gtest.h>

#include "tests/support/arena_block.h"
#include "tests/support/lone_node.h"

namespace starling::test {
namespace {

TEST(SyncState, IsForOrdinaryDatagrams) {
  EngineOptions options = LoneNode::options_named("me");
  EXPECT_TRUE(SyncState::possible(options));
  options.swim.digests = false;
  EXPECT_FALSE(SyncState::possible(options));
  options.swim.digests = true;
  options.swim.udp_buffer_bytes = 600;
  EXPECT_FALSE(SyncState::possible(options));
}

TEST(SyncState, TakesWhatItsFootprintSays) {
  for (const std::uint32_t members : {1u, 16'384u, 1'000'000u}) {
    EngineOptions options = LoneNode::options_named("me");
    options.capacity.members_max = members;
    ArenaBlock memory(SyncState::footprint(options));
    const SyncState state(memory.arena(), options, Instant{});
    EXPECT_GE(state.digest.cells().size(), 1024u);
    EXPECT_LE(state.digest.cells().size(), 32'768u);
    EXPECT_LE(memory.arena().left(), 4096u);
  }
}

// Cells of lanes are added, so each lane has as many as one lane with all members would.
TEST(SyncState, LanesHaveAsManyCellsAsTheNodeNeeds) {
  EngineOptions options = LoneNode::options_named("me");
  options.capacity.members_max = 1'000'000;
  const std::size_t alone = SyncState::footprint(options);
  options.lanes = 4;
  options.capacity.members_max = 250'000;
  EXPECT_EQ(SyncState::footprint(options), alone);
}

TEST(SyncState, LeavesRoomForWhatWrapsAMessage) {
  EngineOptions options = LoneNode::options_named("me");
  options.label = std::string(200, 'l');
  EXPECT_LE(SyncState::room(options) + 200 + 29, options.swim.udp_buffer_bytes);
}

}  // namespace
}  // namespace starling::test
