#include "core/shard/broadcast.h"

#include "core/shard/leave.h"
#include "core/swim/scaling.h"

namespace starling {

namespace {

// Serf's messages travel as user messages: one type byte more than memberlist counts for a part.
constexpr std::size_t user_part_overhead_bytes = compound_part_overhead_bytes + 1;

Dissemination& queue_of(Node& node, SerfQueue queue) {
  if (queue == SerfQueue::intents) return node.intent_queue;
  if (queue == SerfQueue::queries) return node.query_queue;
  return node.event_queue;
}

std::size_t fill_serf(Node& node, Dissemination& queue, CompoundBuilder& builder,
                      std::size_t bytes_max) {
  const FetchLimits limits{.overhead = user_part_overhead_bytes,
                           .bytes_max = bytes_max,
                           .transmits_max = serf_transmits(node)};
  return queue.fetch(limits, [&](Bytes message) {
    Writer out(node.user_scratch);
    out.u8(static_cast<std::uint8_t>(MessageType::user));
    out.put(message);
    if (!out.ok()) return;
    builder.add(out.written());
    ++node.counters.serf_messages_out;
    node.counters.serf_message_bytes_out += message.size();
  });
}

}  // namespace

Subject subject_of(Slot slot) {
  return Subject{static_cast<std::uint32_t>(slot)};
}

Subject refutation_subject(const Node& node, const Hosted& member) {
  return Subject{node.members.capacity() + to_number(member.id)};
}

void broadcast_serf(Node& node, SerfQueue queue, Bytes message, Ticket ticket) {
  queue_of(node, queue).enqueue(no_subject, message, ticket);
}

std::uint32_t membership_transmits(const Node& node) {
  return retransmit_limit(node.options.swim.retransmit_mult, node.nodes());
}

std::uint32_t serf_transmits(const Node& node) {
  return retransmit_limit(node.options.swim.retransmit_mult, node.serf_total());
}

void fill_broadcasts(Node& node, CompoundBuilder& builder, std::size_t bytes_max) {
  if (node.broadcasts.empty() && node.intent_queue.empty() && node.query_queue.empty() &&
      node.event_queue.empty()) {
    return;
  }
  const FetchLimits limits{.overhead = compound_part_overhead_bytes,
                           .bytes_max = bytes_max,
                           .transmits_max = membership_transmits(node)};
  std::size_t left = bytes_max;
  left -= node.broadcasts.fetch(limits, [&](Bytes message) { builder.add(message); });
  for (Dissemination* queue : {&node.intent_queue, &node.query_queue, &node.event_queue}) {
    if (left <= user_part_overhead_bytes) return;
    left -= fill_serf(node, *queue, builder, left);
  }
}

void finish_broadcasts(Node& node, Instant now) {
  const auto finished = [&](std::uint32_t ticket) {
    const std::optional<Waiters::Waiter> waiter = node.waiters.take(ticket);
    if (!waiter) return;
    node.wheel.cancel(node.waiter_timer(waiter->place));
    end_wait(node, now, *waiter, true);
  };
  node.broadcasts.drain_finished(finished);
  node.intent_queue.drain_finished(finished);
}

}  // namespace starling
