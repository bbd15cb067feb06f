#include "core/shard/apply_alive.h"

#include <utility>

#include "core/shard/broadcast.h"
#include "core/shard/hosting.h"
#include "core/shard/probe_turn.h"
#include "core/shard/row_digest.h"
#include "core/shard/serf_turn.h"
#include "core/swim/rules.h"
#include "core/swim/versions.h"

namespace starling {

namespace {

void tell_ignored(Node& node, Instant now, const Alive& alive, std::string_view why) {
  node.report.trace(now, TraceKind::alive_ignored, {.name = alive.node, .text = why},
                    node.counters);
}

void report_ignored(Node& node, Instant now, const Alive& alive, std::string_view why) {
  ++node.counters.messages_dropped;
  tell_ignored(node, now, alive, why);
}

// A table that is full meets thousands of strangers: all are counted, the first is told of.
void refuse_member(Node& node, Instant now, const Alive& alive) {
  ++node.counters.members_refused;
  if (std::exchange(node.rows_full_told, true)) return;
  tell_ignored(node, now, alive, "the member table is full");
}
void refuse_meta(Node& node, Instant now, const Alive& alive) {
  ++node.counters.metas_refused;
  if (std::exchange(node.metas_full_told, true)) return;
  tell_ignored(node, now, alive, "no room for its metadata: the member is known without it");
}

// Why a name may not move to the address that the message gives.
std::string_view why_not_moved(const AliveFacts& facts, const SwimOptions& swim) {
  if (facts.is_self) return "the name is ours";
  if (is_exposed(facts.state)) return "the member is alive at the old address";
  if (swim.dead_node_reclaim_time.count() > 0) {
    return "the member has failed more recently than dead_node_reclaim_time";
  }
  return "the member has failed and not left: it may move once the dead are forgotten";
}

// Gives an unknown member a row and a place in the node list; nullopt when the table is full.
std::optional<Slot> enlist(Node& node, Instant now, NameHash hash, std::string_view name,
                           std::optional<Slot> row) {
  if (!row) row = node.members.insert(hash, name);
  if (!row) return std::nullopt;
  node.members.listed(*row) = true;
  node.members.state(*row) = MemberState::dead;
  node.members.incarnation(*row) = Incarnation{0};
  node.members.set_state_changed(*row, now);
  node.peers.insert(node.rng, *row);
  return row;
}

void count_live(Node& node, Slot slot, MemberState before, MemberState after) {
  if (node.is_self(slot)) return;
  if (is_exposed(before) == is_exposed(after)) return;
  node.live_others += is_exposed(after) ? 1u : static_cast<std::uint32_t>(-1);
}

void carry_out(Node& node, Instant now, Slot slot, const Alive& alive, const Endpoint& at,
               const AliveOrigin& origin) {
  const RowDigest digest(node, slot);
  const MemberState before = node.members.state(slot);
  const bool meta_changed = !equal(node.members.meta(slot), alive.meta);
  const Versions versions = read_versions(alive.versions).value_or(Versions{});
  // Sent on as we understood it: unknown fields vanish, a missing port is filled in.
  Alive passed_on = alive;
  passed_on.port = at.port;
  passed_on.address = at.address.bytes();
  if (!origin.quiet) broadcast(node, subject_of(slot), passed_on, origin.ticket);

  node.members.versions(slot) = versions;
  if (!node.alone()) node.own_versions.add_local(MemberState::alive, versions);
  node.members.incarnation(slot) = alive.incarnation;
  node.members.endpoint(slot) = at;
  if (meta_changed && !node.members.set_meta(slot, alive.meta)) refuse_meta(node, now, alive);
  if (before != MemberState::alive) {
    node.members.state(slot) = MemberState::alive;
    node.members.set_state_changed(slot, now);
    count_live(node, slot, before, MemberState::alive);
    node.report.trace(now, TraceKind::member_alive,
                      {.name = alive.node, .endpoint = at, .number = to_number(alive.incarnation)},
                      node.counters);
  }
  ++node.counters.alives_applied;
  switch (change_after_alive(before, meta_changed)) {
    case StatusChange::join:
      return serf_joined(node, now, slot);
    case StatusChange::update:
      return serf_updated(node, now, slot);
    case StatusChange::leave:
    case StatusChange::none:
      return;
  }
}

}  // namespace

Alive own_alive(const Node& node, const Hosted& member, std::array<std::byte, 6>& versions_room) {
  versions_room = write_versions(node.options.versions);
  return {.incarnation = member.incarnation,
          .node = node.hosted.name(member),
          .address = member.advertise.address.bytes(),
          .port = member.advertise.port,
          .meta = meta_of(node, member),
          .versions = versions_room};
}

// The owner may settle it by a vote; a claim that is made again is reported again.
void report_conflict(Node& node, Instant now, std::string_view name, const Endpoint& at) {
  if (!node.report.calm()) return;
  Event event;
  event.kind = Event::Kind::conflict;
  event.at = now;
  event.name = name;
  event.endpoint = at;
  static_cast<void>(node.report.send(event));
}

void refute(Node& node, Instant now, Hosted& member, Incarnation accused) {
  const std::uint32_t next = std::max(to_number(member.incarnation) + 1, to_number(accused) + 1);
  member.incarnation = Incarnation{next};
  {
    const RowDigest digest(node, member.slot);
    node.members.incarnation(member.slot) = member.incarnation;
  }
  ++node.counters.refutations;
  change_health(node, now, member, +1);
  std::array<std::byte, 6> versions;
  // Named by address, not by member: it neither replaces nor is replaced by other statements.
  broadcast(node, refutation_subject(node, member), own_alive(node, member, versions));
  node.report.trace(now, TraceKind::refuted, {.name = node.hosted.name(member), .number = next},
                    node.counters);
}

void apply_alive(Node& node, Instant now, const Alive& alive, const AliveOrigin& origin) {
  if (alive.node.empty() || alive.node.size() > node.options.capacity.name_bytes_max) {
    return report_ignored(node, now, alive, "name is empty or too long");
  }
  // Shorter version vectors poison push/pull for the whole cluster, so they are refused here.
  if (alive.versions.size() < versions_bytes || !versions_sane(alive.versions)) {
    return report_ignored(node, now, alive, "versions are missing or out of order");
  }
  if (alive.meta.size() > meta_bytes_limit) {
    return report_ignored(node, now, alive, "metadata is longer than 512 bytes");
  }
  const bool old_protocol = node.options.versions.protocol_current < 2;
  const Endpoint at{IpAddress(alive.address),
                    alive.port == 0 || old_protocol ? node.options.bind_port() : alive.port};
  if (at.address.empty()) {
    return report_ignored(node, now, alive, "address has neither 4 nor 16 bytes");
  }
  const bool sender_allowed =
      origin.sender == nullptr ||
      (node.admission.allows(origin.sender->address) && node.admission.allows(at.address));
  if (!sender_allowed) return report_ignored(node, now, alive, "address is not allowed");

  const NameHash hash = hash_name(alive.node);
  std::optional<Slot> slot = node.members.find(hash, alive.node);
  Hosted* const self = origin.bootstrap != nullptr ? origin.bootstrap
                       : slot                      ? node.hosted.of(*slot)
                                                   : nullptr;
  AliveFacts facts{.exists = slot && node.members.listed(*slot),
                   .is_self = self != nullptr,
                   .bootstrap = origin.bootstrap != nullptr,
                   .leaving = self != nullptr && self->swim_left,
                   .claimed = alive.incarnation,
                   .address_allowed = node.admission.allows(at.address)};
  if (facts.exists) {
    facts.stored = node.members.incarnation(*slot);
    facts.state = node.members.state(*slot);
    facts.address_differs = node.members.endpoint(*slot) != at;
    const Duration reclaim = node.options.swim.dead_node_reclaim_time;
    facts.reclaim_due = reclaim.count() > 0 && now - node.members.state_changed(*slot) > reclaim;
    facts.same_content =
        facts.is_self && equal(node.members.meta(*slot), alive.meta) &&
        read_versions(alive.versions) == std::optional(node.members.versions(*slot));
  }
  switch (judge_alive(facts)) {
    case AliveVerdict::ignore:
      return;
    case AliveVerdict::conflict:
      ++node.counters.conflicts;
      node.report.trace(now, TraceKind::conflict,
                        {.name = alive.node,
                         .endpoint = at,
                         .number = facts.is_self,
                         .text = why_not_moved(facts, node.options.swim)},
                        node.counters);
      if (facts.is_self) report_conflict(node, now, alive.node, at);
      return;
    case AliveVerdict::refute:
      return refute(node, now, *self, alive.incarnation);
    case AliveVerdict::accept:
      break;
  }
  if (!facts.exists) {
    slot = enlist(node, now, hash, alive.node, slot);
    if (!slot) {
      return refuse_member(node, now, alive);
    }
  }
  if (facts.is_self) node.hosted.settle(*self, *slot);
  // Asked first: the timer of a member that nobody suspects lies in memory never touched.
  if (node.suspicions.running(*slot)) {
    node.suspicions.forget(*slot);
    node.wheel.cancel(node.suspicion_timer(*slot));
  }
  carry_out(node, now, *slot, alive, at, origin);
}

}  // namespace starling
