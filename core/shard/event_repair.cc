#include "core/shard/event_repair.h"

#include "core/shard/broadcast.h"
#include "core/shard/route.h"
#include "core/shard/stream_turn.h"
#include "core/shard/sync_turn.h"

namespace starling {

namespace {

// A member that is asked may have missed the event as well, or be new.
constexpr std::uint32_t tries_max = 4;
// Exchanges for the sake of events, at most so many times as often as push/pulls.
constexpr int exchanges_a_push_pull = 8;

// How long gossip may take to bring what is on its way: every member sends an update for so many
// ticks, and nearly all have it long before the first one stops.
Duration gossip_time(const Node& node) {
  return node.options.swim.gossip_interval * 2 * serf_transmits(node);
}

void arm(Node& node, Instant due) {
  node.wheel.arm(timer(FixedTimer::event_repair), due);
}

// Looks at the times that have passed since the last gap was looked at.
void look_further(Node& node, Instant now) {
  EventRepair& repair = node.event_repair;
  repair.from = repair.to;
  repair.to = node.events.time();
  repair.tries = 0;
  if (node.events.misses(repair.from, repair.to)) arm(node, now + gossip_time(node));
}

}  // namespace

void note_event_gap(Node& node, Instant now, LamportTime clock) {
  if (node.options.swim.push_pull_interval <= Duration::zero()) return;
  if (node.wheel.armed(timer(FixedTimer::event_repair))) return;
  node.event_repair.to = clock;
  look_further(node, now);
}

void event_repair_due(Node& node, Instant now) {
  EventRepair& repair = node.event_repair;
  if (repair.tries == tries_max || !node.events.misses(repair.from, repair.to)) {
    return look_further(node, now);
  }
  ++repair.tries;
  arm(node, now + std::max(node.options.swim.push_pull_interval / exchanges_a_push_pull,
                           gossip_time(node)));
  ++node.counters.event_repairs;
  if (const std::optional<Slot> peer = draw_peer(node, PeerUse::event_repair)) {
    repair_events_from(node, now, node.members.name(*peer), node.members.endpoint(*peer));
  }
}

void repair_events_from(Node& node, Instant now, std::string_view name, const Endpoint& peer) {
  // A peer that is not of this kind answers with all members: cheap in a small cluster. In a large
  // one it is asked first what it is.
  if (node.nodes() <= small_cluster_max) {
    return dial_push_pull(node, now, peer, {.events_only = true});
  }
  if (node.sync) compare_with(node, now, name, peer);
}

}  // namespace starling
