#include "core/shard/serf_turn.h"

#include "core/shard/broadcast.h"
#include "core/shard/event_repair.h"
#include "core/shard/query_turn.h"
#include "core/shard/reap_turn.h"
#include "core/shard/route.h"
#include "core/shard/row_digest.h"
#include "core/shard/send.h"

namespace starling {

namespace {

// Carries out what a status transition asks for; true when the message should be broadcast on.
bool carry_out(Node& node, Instant now, Slot slot, const Outcome& outcome,
               MemberStatus status_before) {
  if (outcome.flap) {
    ++node.counters.member_flaps;
    node.report.trace(now, TraceKind::flap, {.name = node.members.name(slot)}, node.counters);
  }
  const MemberStatus status = node.serf.status(slot);
  if (status == MemberStatus::leaving && status_before != status) {
    node.serf.set_leaving_since(slot, now);
  }
  if (outcome.event || status != status_before) {
    node.report.member(now, node.members, node.serf, slot, outcome.event, node.counters);
  }
  if (outcome.refute) {
    node.report.trace(now, TraceKind::intent_refuted, {.name = node.members.name(slot)},
                      node.counters);
    announce_join(node, now, *node.hosted.of(slot));
  }
  if (outcome.erase) erase_member(node, now, slot);
  if (outcome.erase_after_delay) prune_later(node, now, slot, prune_delay(node));
  return outcome.rebroadcast;
}

void report_fault(Node& node, Instant now, const WireError& error, const Endpoint& from) {
  ++node.counters.messages_dropped;
  node.report.trace(now, TraceKind::message_dropped, {.endpoint = from, .error = error},
                    node.counters);
}

}  // namespace

void serf_joined(Node& node, Instant now, Slot slot) {
  const MemberStatus before = node.serf.status(slot);
  const Outcome outcome =
      node.serf.joined(slot, now, node.recent_intents.find(node.members.hash(slot)));
  carry_out(node, now, slot, outcome, before);
}

void serf_updated(Node& node, Instant now, Slot slot) {
  carry_out(node, now, slot, node.serf.updated(slot), node.serf.status(slot));
}

void serf_gone(Node& node, Instant now, Slot slot) {
  const MemberStatus before = node.serf.status(slot);
  if (before == MemberStatus::none) return;
  carry_out(node, now, slot, node.serf.gone(slot, now), before);
}

bool apply_leave_intent(Node& node, Instant now, const LeaveIntent& intent) {
  node.member_clock.witness(intent.time);
  const NameHash hash = hash_name(intent.node);
  const std::optional<Slot> slot = node.members.find(hash, intent.node);
  if (!slot || !node.serf.contains(*slot)) {
    return node.recent_intents.upsert(hash, IntentKind::leave, intent.time, now);
  }
  const RowDigest digest(node, *slot);
  const MemberStatus before = node.serf.status(*slot);
  const Hosted* self = node.hosted.of(*slot);
  const Outcome outcome =
      node.serf.leave_intent(*slot, intent.time,
                             {.is_self = self != nullptr,
                              .self_alive = self != nullptr && self->leave == LeaveStage::none,
                              .prune = intent.prune});
  return carry_out(node, now, *slot, outcome, before);
}

bool apply_join_intent(Node& node, Instant now, const JoinIntent& intent) {
  node.member_clock.witness(intent.time);
  const NameHash hash = hash_name(intent.node);
  const std::optional<Slot> slot = node.members.find(hash, intent.node);
  if (!slot || !node.serf.contains(*slot)) {
    return node.recent_intents.upsert(hash, IntentKind::join, intent.time, now);
  }
  const RowDigest digest(node, *slot);
  const MemberStatus before = node.serf.status(*slot);
  return carry_out(node, now, *slot, node.serf.join_intent(*slot, intent.time), before);
}

bool apply_user_event(Node& node, Instant now, const UserEvent& event) {
  const LamportTime clock = node.events.time();
  switch (node.events.accept(event.time, event.name, event.payload)) {
    case EventBuffer::Verdict::fresh:
      break;
    case EventBuffer::Verdict::duplicate:
      ++node.counters.user_events_duplicate;
      return false;
    case EventBuffer::Verdict::too_old:
    case EventBuffer::Verdict::before_minimum:
    case EventBuffer::Verdict::no_space:
      ++node.counters.user_events_old;
      node.report.trace(now, TraceKind::event_dropped,
                        {.name = event.name, .number = to_number(event.time)}, node.counters);
      return false;
  }
  ++node.counters.user_events;
  if (event.time > clock) note_event_gap(node, now, clock);
  Event report;
  report.kind = Event::Kind::user;
  report.at = now;
  report.time = event.time;
  report.name = event.name;
  report.payload = event.payload;
  report.coalesce = event.coalesce;
  if (!node.report.send(report)) ++node.counters.user_events_lost;
  return true;
}

void announce_joins(Node& node, Instant now) {
  if (!node.alone()) post_all(node, {.kind = MailKind::announce});
  announce_own_joins(node, now);
}

void announce_own_joins(Node& node, Instant now) {
  constexpr std::uint32_t few = 256;
  const Hosted* const speaker = node.hosted.speaker();
  const bool all = node.hosted.size() <= few;
  node.hosted.for_each([&](Hosted& member) {
    const bool speaks = (all || &member == speaker) && member.leave == LeaveStage::none;
    if (speaks && node.at_home(member)) announce_join(node, now, member);
  });
}

void announce_join(Node& node, Instant now, Hosted& member) {
  const JoinIntent intent{.time = node.member_time(), .node = node.hosted.name(member)};
  apply_join_intent(node, now, intent);
  std::array<std::byte, 1536> room;
  Writer out(room);
  encode(intent, out);
  CHECK(out.ok());
  broadcast_serf(node, SerfQueue::intents, out.written());
}

void send_user_message(Node& node, const Endpoint& to, Bytes message) {
  Writer out(node.user_scratch);
  out.u8(static_cast<std::uint8_t>(MessageType::user));
  out.put(message);
  if (out.ok()) send_datagram(node, to, out.written(), false);
}

void apply_user_message(Node& node, Instant now, Bytes message, const Endpoint& from) {
  if (message.empty()) {
    return report_fault(node, now, {.layer = "user message", .fault = WireFault::truncated}, from);
  }
  ++node.counters.serf_messages_in;
  node.counters.serf_message_bytes_in += message.size();
  const Bytes body = message.subspan(1);
  node.decode_scratch.reset();
  switch (static_cast<SerfType>(message.front())) {
    case SerfType::leave: {
      const Decoded<LeaveIntent> intent = decode_leave_intent(body);
      if (!intent) return report_fault(node, now, intent.error(), from);
      if (!apply_leave_intent(node, now, *intent)) return;
      return broadcast_serf(node, SerfQueue::intents, message);
    }
    case SerfType::join: {
      const Decoded<JoinIntent> intent = decode_join_intent(body);
      if (!intent) return report_fault(node, now, intent.error(), from);
      if (!apply_join_intent(node, now, *intent)) return;
      return broadcast_serf(node, SerfQueue::intents, message);
    }
    case SerfType::user_event: {
      const Decoded<UserEvent> event = decode_user_event(body, node.decode_scratch);
      if (!event) return report_fault(node, now, event.error(), from);
      if (!apply_user_event(node, now, *event)) return;
      return broadcast_serf(node, SerfQueue::events, message);
    }
    case SerfType::query: {
      const Decoded<Query> query = decode_query(body, node.decode_scratch);
      if (!query) return report_fault(node, now, query.error(), from);
      if (!apply_query(node, now, *query)) return;
      return broadcast_serf(node, SerfQueue::queries, message);
    }
    case SerfType::relay: {
      const Decoded<Relay> relay = decode_relay(body, node.decode_scratch);
      if (!relay) return report_fault(node, now, relay.error(), from);
      return apply_relay(node, now, *relay);
    }
    case SerfType::query_response: {
      const Decoded<QueryResponse> response = decode_query_response(body, node.decode_scratch);
      if (!response) return report_fault(node, now, response.error(), from);
      return apply_query_response(node, now, *response);
    }
    case SerfType::push_pull:
    case SerfType::conflict_response:
    case SerfType::key_request:
    case SerfType::key_response:
      break;
  }
  report_fault(node, now,
               {.layer = "user message", .field = "type", .fault = WireFault::unsupported}, from);
}

}  // namespace starling
