// Whatever happens to rows, the digest is the one that a fresh look at all rows gives.
#include "core/shard/row_digest.h"

#include <gtest/gtest.h>

#include "core/base/rng.h"
#include "core/shard/apply_alive.h"
#include "core/shard/apply_dead.h"
#include "core/shard/apply_suspect.h"
#include "core/shard/hosting.h"
#include "core/shard/reap_turn.h"
#include "core/shard/serf_turn.h"
#include "tests/support/arena_block.h"
#include "tests/support/lone_node.h"
#include "tests/support/peer_messages.h"

namespace starling::test {
namespace {

class Digested : public testing::Test {
 protected:
  Digested()
      : options_(LoneNode::options_named("me")),
        memory_(Node::footprint(options_) + (8 << 20)),
        ring_(make_ring(memory_.arena(), 4 << 20)),
        node_(memory_.arena(), options_, Instant{}, EventWriter(std::move(ring_.first))) {
    EXPECT_EQ(host(node_, Instant{}, {"me", options_.advertise, {}}), HostProblem::none);
  }
  void expect_right(const std::string& after) {
    Root root;
    for (std::uint32_t i = 0; i < to_number(node_.members.slots_end()); ++i) {
      const Slot slot{i};
      if (!node_.members.occupied(slot) || !node_.members.listed(slot)) continue;
      if (!is_digested(node_.members.state(slot))) continue;
      root.sum += mark_of(node_.sync->digest.key(), record_of(node_, slot)).weight;
      ++root.count;
    }
    ASSERT_EQ(node_.sync->digest.root(), root) << after;
  }

  EngineOptions options_;
  ArenaBlock memory_;
  std::pair<RingWriter, RingReader> ring_;
  Node node_;
};

TEST_F(Digested, StaysRightOverRandomHistories) {
  Rng rng(11);
  Instant now{};
  for (int step = 0; step < 4'000; ++step) {
    now += std::chrono::milliseconds(20);
    const std::string name = rng.below(20) == 0 ? "me" : "peer" + std::to_string(rng.below(40));
    const Peer peer{.name = name, .host = static_cast<std::uint8_t>(10 + rng.below(3))};
    const std::uint32_t incarnation = 1 + static_cast<std::uint32_t>(step / 80) + rng.below(3);
    const LamportTime time{1 + static_cast<std::uint64_t>(step / 20) + rng.below(4)};
    const std::string meta(rng.below(40), 'm');
    const std::uint32_t what = rng.below(8);
    switch (what) {
      case 0:
      case 1:
        apply_alive(node_, now, peer.alive(incarnation, as_bytes(meta)), {});
        break;
      case 2:
        apply_suspect(node_, now, suspect(name, incarnation, "peer1"));
        break;
      case 3:
        apply_dead(node_, now, dead(name, incarnation, rng.below(2) == 0 ? name : "peer1"), 0);
        break;
      case 4:
        apply_join_intent(node_, now, {.time = time, .node = name});
        break;
      case 5:
        apply_leave_intent(node_, now, {.time = time, .node = name, .prune = rng.below(4) == 0});
        break;
      case 6:
        reap_nodes(node_, now);
        break;
      default:
        if (const auto slot = node_.members.find(hash_name(name), name)) {
          suspicion_due(node_, now, *slot);
        }
        break;
    }
    expect_right("step " + std::to_string(step) + ", kind " + std::to_string(what));
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(node_.sync->digest.count(), 1u);
}

TEST_F(Digested, SuspicionChangesNothingAndDeathTakesTheRowOut) {
  apply_alive(node_, Instant{}, Peer{.name = "a"}.alive(1), {});
  const Root alive = node_.sync->digest.root();
  apply_suspect(node_, Instant{}, suspect("a", 1, "x"));
  EXPECT_EQ(node_.sync->digest.root(), alive);
  apply_dead(node_, Instant{}, dead("a", 1, "x"), 0);
  EXPECT_EQ(node_.sync->digest.count(), 1u) << "ourselves";
}

}  // namespace
}  // namespace starling::test
