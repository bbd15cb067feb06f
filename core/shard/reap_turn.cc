#include "core/shard/reap_turn.h"

#include "core/shard/coordinates.h"
#include "core/shard/route.h"
#include "core/shard/row_digest.h"
#include "core/shard/stream_turn.h"
#include "core/shard/sync_turn.h"

namespace starling {

namespace {

// Rows looked at in one turn; more than this many wait for the next. About a microsecond for each
// that goes, some nanoseconds for the rest.
constexpr std::uint32_t reap_budget = 4096;
// How soon to try again when the owner has not drained its reports.
constexpr Duration retry_delay = std::chrono::milliseconds(100);

// Frees a row that nobody knows any more, once its last report is out.
void release_row(Node& node, Instant now, Slot slot) {
  if (node.members.listed(slot) || node.serf.contains(slot)) return;
  if (node.report.pending(slot)) return prune_later(node, now, slot, retry_delay);
  node.members.erase(slot);
  node.rows_full_told = node.metas_full_told = false;
}

// A leave is over after two broadcasts and a pause. Who is still there after twice that time has
// come back, and its word of it was lost or overtaken by an older claim. Serf would show such a
// member as leaving for ever: nothing in its protocol corrects that.
void revive_stayers(Node& node, Instant now) {
  const SerfOptions& serf = node.options.serf;
  const Duration patience = 2 * (2 * serf.broadcast_timeout + serf.leave_propagate_delay);
  // From the back: a member that stayed leaves the list, and the last one takes its place.
  auto place = static_cast<std::uint32_t>(node.serf.leaving().size());
  for (std::uint32_t looked_at = 0; place > 0 && looked_at < reap_budget; ++looked_at) {
    const Slot slot = node.serf.leaving()[--place];
    if (node.is_self(slot) || !node.members.listed(slot)) continue;
    if (node.members.state(slot) != MemberState::alive) continue;
    if (now - node.serf.gone_since(slot) <= patience) continue;
    node.serf.stayed(slot);
    node.report.member(now, node.members, node.serf, slot, std::nullopt, node.counters);
  }
}

// Whether a node is gone for longer than memberlist remembers it; then it is no longer listed.
bool reap_node(Node& node, Instant now, Slot slot) {
  const MemberState state = node.members.state(slot);
  const bool gone = state == MemberState::dead || state == MemberState::left;
  if (!gone || node.is_self(slot)) return false;
  if (now - node.members.state_changed(slot) <= node.options.swim.gossip_to_the_dead_time) {
    return false;
  }
  if (!node.report.calm()) return false;  // next round
  node.report.trace(now, TraceKind::member_reaped, {.name = node.members.name(slot)},
                    node.counters);
  node.members.listed(slot) = false;
  release_row(node, now, slot);
  return true;
}

void sweep_nodes(Node& node, Instant now) {
  node.peers.sweep(reap_budget, [&](Slot slot) { return reap_node(node, now, slot); });
}

// Fewer than one row in eight is free.
bool crowded(const MemberTable& members) {
  return members.capacity() - members.size() < members.capacity() / 8;
}

// What only members said that have gone is forgotten here. In the order of the columns: it is read
// once for each round of probes.
void look_at_versions(Node& node) {
  node.own_versions = {};
  const auto end = to_number(node.members.slots_end());
  for (std::uint32_t i = 0; i < end; ++i) {
    const Slot slot{i};
    if (!node.members.occupied(slot) || !node.members.listed(slot)) continue;
    node.own_versions.add_local(node.members.state(slot), node.members.versions(slot));
  }
}

}  // namespace

void reap_nodes(Node& node, Instant now) {
  node.peers.start_sweep();
  sweep_nodes(node, now);
  if (!node.alone()) look_at_versions(node);
}

void reap_more_nodes(Node& node, Instant now) {
  // Probe ticks come by the thousand where many members are hosted: once in an interval is enough.
  if (!node.peers.sweeping() && crowded(node.members) &&
      now - node.crowded_sweep >= node.options.swim.probe_interval) {
    node.crowded_sweep = now;
    node.peers.start_sweep();
  }
  sweep_nodes(node, now);
}

void erase_member(Node& node, Instant now, Slot slot) {
  const RowDigest digest(node, slot);
  if (!node.report.calm()) return prune_later(node, now, slot, retry_delay);
  node.report.member(now, node.members, node.serf, slot, MemberEventKind::reap, node.counters);
  forget_coordinate(node, node.members.name(slot));
  node.serf.erase(slot);
  release_row(node, now, slot);
}

Duration prune_delay(const Node& node) {
  return node.options.serf.broadcast_timeout + node.options.serf.leave_propagate_delay;
}

void prune_later(Node& node, Instant now, Slot slot, Duration delay) {
  for (std::uint32_t place = 0; place < TimerRanges::prunes_max; ++place) {
    if (node.wheel.armed(node.prune_timer(place))) continue;
    node.prunes[place] = slot;
    node.wheel.arm(node.prune_timer(place), now + delay);
    return;
  }
  // All places are taken: the member stays until the reaper's time-out or the next prune.
}

void prune_due(Node& node, Instant now, std::uint32_t place) {
  const Slot slot = node.prunes[place];
  if (!node.members.occupied(slot)) return;
  if (!node.serf.contains(slot)) return release_row(node, now, slot);
  if (node.serf.prune_due(slot)) erase_member(node, now, slot);
}

void reap_turn(Node& node, Instant now) {
  const SerfOptions& serf = node.options.serf;
  node.recent_intents.expire(now, serf.recent_intent_timeout);
  revive_stayers(node, now);
  bool finished = true;
  if (node.report.calm()) {
    finished = node.serf.reap(
        now, {.reconnect = serf.reconnect_timeout, .tombstone = serf.tombstone_timeout},
        reap_budget, [&](Slot slot) {
          node.report.member(now, node.members, node.serf, slot, MemberEventKind::reap,
                             node.counters);
          forget_coordinate(node, node.members.name(slot));
          node.serf.erase(slot);
          release_row(node, now, slot);
        });
  }
  node.wheel.arm(timer(FixedTimer::reap), now + (finished ? serf.reap_interval : retry_delay));
}

void reconnect_turn(Node& node, Instant now) {
  // Each lane tries for its own failed members, so that together they try as often as one would.
  node.wheel.arm(timer(FixedTimer::reconnect),
                 now + node.options.serf.reconnect_interval * node.lanes);
  if (!node.any_alive_itself()) return;
  const std::optional<Slot> candidate = node.serf.reconnect_candidate(node.rng);
  if (!candidate) return;
  const Endpoint at = node.members.endpoint(*candidate);
  node.report.trace(now, TraceKind::reconnect,
                    {.name = node.members.name(*candidate), .endpoint = at}, node.counters);
  if (node.id == front_lane) return dial_join(node, now, at, {.join = true});
  post(node, front_lane, {.kind = MailKind::dial, .endpoint = at});
}

void queue_check_turn(Node& node, Instant now) {
  const SerfOptions& serf = node.options.serf;
  node.wheel.arm(timer(FixedTimer::queue_check), now + serf.queue_check_interval);
  const struct {
    std::string_view name;
    Dissemination& queue;
  } queues[] = {
      {"Intent", node.intent_queue}, {"Event", node.event_queue}, {"Query", node.query_queue}};
  for (const auto& [name, queue] : queues) {
    if (queue.size() < serf.queue_depth_warning) continue;
    node.report.trace(now, TraceKind::queue_warning, {.number = queue.size(), .text = name},
                      node.counters);
    if (queue.size() > serf.queue_depth_max) {
      queue.prune(static_cast<std::uint32_t>(serf.queue_depth_max));
    }
  }
}

}  // namespace starling
