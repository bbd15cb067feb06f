#include "core/shard/apply_dead.h"

#include "core/shard/apply_alive.h"
#include "core/shard/broadcast.h"
#include "core/shard/row_digest.h"
#include "core/shard/serf_turn.h"
#include "core/swim/rules.h"

namespace starling {

namespace {

void carry_out(Node& node, Instant now, Slot slot, const Dead& dead, Ticket ticket) {
  const RowDigest digest(node, slot);
  const bool left = dead.node == dead.from;
  broadcast(node, subject_of(slot), dead, ticket);
  if (!node.is_self(slot) && is_exposed(node.members.state(slot))) --node.live_others;
  node.members.incarnation(slot) = dead.incarnation;
  node.members.state(slot) = state_after_dead(left);
  node.members.set_state_changed(slot, now);
  ++node.counters.deads_applied;
  node.report.trace(now, left ? TraceKind::member_left : TraceKind::member_dead,
                    {.name = dead.node, .from = dead.from, .number = to_number(dead.incarnation)},
                    node.counters);
  serf_gone(node, now, slot);
}

}  // namespace

void apply_dead(Node& node, Instant now, const Dead& dead, Ticket ticket) {
  if (dead.from.size() > node.options.capacity.name_bytes_max) return;
  const std::optional<Slot> slot = node.members.find(hash_name(dead.node), dead.node);
  if (!slot || !node.members.listed(*slot)) return;
  Hosted* const self = node.hosted.of(*slot);
  const Known known{.exists = true,
                    .state = node.members.state(*slot),
                    .incarnation = node.members.incarnation(*slot),
                    .is_self = self != nullptr,
                    .suspicion_running = node.suspicions.running(*slot)};
  const Verdict verdict = judge_dead(known, dead.incarnation, dead.node == dead.from,
                                     self != nullptr && self->swim_left);
  if (dead.incarnation >= known.incarnation) {
    node.suspicions.forget(*slot);
    node.wheel.cancel(node.suspicion_timer(*slot));
  }
  if (verdict == Verdict::refute) return refute(node, now, *self, dead.incarnation);
  if (verdict == Verdict::accept) carry_out(node, now, *slot, dead, ticket);
}

}  // namespace starling
