#include "core/shard/apply_suspect.h"

#include "core/shard/apply_alive.h"
#include "core/shard/apply_dead.h"
#include "core/shard/broadcast.h"
#include "core/shard/row_digest.h"
#include "core/swim/rules.h"
#include "core/swim/scaling.h"

namespace starling {

namespace {

SuspicionTiming timing_of(const Node& node) {
  const SwimOptions& swim = node.options.swim;
  const Duration least = suspicion_timeout(swim.suspicion_mult, node.nodes(), swim.probe_interval);
  return {.min = least,
          .max = least * static_cast<std::int64_t>(swim.suspicion_max_timeout_mult),
          .confirmations_needed = suspicion_confirmations(swim.suspicion_mult, node.nodes())};
}

void confirm(Node& node, Instant now, Slot slot, const Suspect& suspect) {
  const std::optional<Instant> due = node.suspicions.confirm(slot, now, hash_name(suspect.from));
  if (!due) return;
  node.wheel.arm(node.suspicion_timer(slot), *due);
  broadcast(node, subject_of(slot), suspect);
  node.report.trace(
      now, TraceKind::suspect_confirmed,
      {.name = suspect.node, .from = suspect.from, .number = node.suspicions.confirmations(slot)},
      node.counters);
}

void start(Node& node, Instant now, Slot slot, const Suspect& suspect) {
  const RowDigest digest(node, slot);
  broadcast(node, subject_of(slot), suspect);
  node.members.incarnation(slot) = suspect.incarnation;
  node.members.state(slot) = MemberState::suspect;
  node.members.set_state_changed(slot, now);
  const Instant due = node.suspicions.start(slot, now, timing_of(node), hash_name(suspect.from));
  node.wheel.arm(node.suspicion_timer(slot), due);
  ++node.counters.suspicions_started;
  node.report.trace(
      now, TraceKind::suspect_started,
      {.name = suspect.node, .from = suspect.from, .number = to_number(suspect.incarnation)},
      node.counters);
}

}  // namespace

void apply_suspect(Node& node, Instant now, const Suspect& suspect) {
  if (suspect.from.size() > node.options.capacity.name_bytes_max) return;
  const std::optional<Slot> slot = node.members.find(hash_name(suspect.node), suspect.node);
  if (!slot || !node.members.listed(*slot)) return;
  const Known known{.exists = true,
                    .state = node.members.state(*slot),
                    .incarnation = node.members.incarnation(*slot),
                    .is_self = node.is_self(*slot),
                    .suspicion_running = node.suspicions.running(*slot)};
  switch (judge_suspect(known, suspect.incarnation)) {
    case Verdict::ignore:
      return;
    case Verdict::confirm:
      return confirm(node, now, *slot, suspect);
    case Verdict::refute:
      return refute(node, now, *node.hosted.of(*slot), suspect.incarnation);
    case Verdict::accept:
      return start(node, now, *slot, suspect);
  }
}

void suspicion_due(Node& node, Instant now, Slot slot) {
  if (!node.suspicions.running(slot) || node.members.state(slot) != MemberState::suspect) return;
  ++node.counters.suspicions_timed_out;
  node.counters.suspicions_unconfirmed +=
      node.suspicions.confirmations(slot) < node.suspicions.confirmations_needed(slot);
  node.report.trace(
      now, TraceKind::suspect_timed_out,
      {.name = node.members.name(slot), .number = node.suspicions.confirmations(slot)},
      node.counters);
  apply_dead(node, now,
             {.incarnation = node.members.incarnation(slot),
              .node = node.members.name(slot),
              .from = node.speaker_name()},
             0);
}

}  // namespace starling
