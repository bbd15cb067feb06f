#include "core/shard/gossip_turn.h"

#include "core/shard/route.h"
#include "core/shard/send.h"

namespace starling {

namespace {

// How soon surplus rounds go on. A few turns in each tick spread them instead of sending bursts.
constexpr Duration surplus_interval = std::chrono::milliseconds(20);

// Random members that gossip goes to; how many were found.
std::size_t sample(Node& node, Instant now, std::span<Slot> chosen) {
  const Duration to_the_dead = node.options.swim.gossip_to_the_dead_time;
  return node.peers.sample(node.rng, chosen, [&](Slot slot) {
    if (node.is_self(slot)) return true;
    const MemberState state = node.members.state(slot);
    if (state == MemberState::left) return true;
    if (state != MemberState::dead) return false;
    return now - node.members.state_changed(slot) > to_the_dead;
  });
}

bool send_to_own_members(Node& node, Instant now, std::size_t packets) {
  std::array<Slot, 16> chosen;
  const std::size_t count =
      sample(node, now, std::span(chosen).first(std::min(packets, chosen.size())));
  bool sent = count > 0;
  for (const Slot slot : std::span(chosen).first(count)) {
    sent = send_gossip(node, slot);
    if (!sent) break;
  }
  return sent;
}

// Draws for each packet the lane whose member gets it. What this lane has to say goes there by
// mail, because only the owner of a member knows where it is.
bool send_through_lanes(Node& node, Instant now, std::size_t packets) {
  bool sent = false;
  for (std::size_t i = 0; i < packets; ++i) {
    const ShardId lane = node.view->draw(&LaneView::nodes, node.rng, node.id);
    if (lane == node.id) {
      sent |= send_to_own_members(node, now, 1);
      continue;
    }
    const Bytes body = gossip_body(node);
    if (body.empty()) return sent;
    sent |= post(node, lane, {.kind = MailKind::gossip, .bytes = body});
    node.gossip_allowance.spend(body.size());
  }
  return sent;
}

// Sends queued updates to gossip_nodes members; false when there was nothing to send or nobody to
// send it to.
bool gossip_round(Node& node, Instant now) {
  const std::size_t packets = node.options.swim.gossip_nodes;
  const std::uint64_t bytes_before = node.counters.bytes_out;
  const bool sent = node.alone() ? send_to_own_members(node, now, packets)
                                 : send_through_lanes(node, now, packets);
  node.gossip_allowance.spend(node.counters.bytes_out - bytes_before);
  return sent;
}

// Whether more is queued than the packets of one tick hold together: then some of it is not sent in
// this tick at all, however often it still has to be.
bool backlogged(const Node& node) {
  std::size_t queued = 0;
  for (const Dissemination* queue :
       {&node.broadcasts, &node.intent_queue, &node.query_queue, &node.event_queue}) {
    queued += queue->bytes() + queue->size() * compound_part_overhead_bytes;
  }
  return queued > node.options.swim.gossip_nodes * node.options.swim.udp_buffer_bytes;
}

bool may_send_surplus(Node& node, Instant now) {
  const std::size_t round_bytes =
      node.options.swim.gossip_nodes * node.options.swim.udp_buffer_bytes;
  const std::size_t round_packets = gossip_packets_max(node);
  return node.gossip_allowance.allowance(now) >= round_bytes &&
         node.out.packets_left() >= Outbox::packets_reserved + round_packets;
}

}  // namespace

void gossip_turn(Node& node, Instant now) {
  gossip_round(node, now);
  gossip_surplus_turn(node, now);
}

void gossip_surplus_turn(Node& node, Instant now) {
  if (node.options.swim.gossip_bytes_per_second_max == 0) return;
  while (backlogged(node)) {
    if (!may_send_surplus(node, now)) {
      node.wheel.arm(timer(FixedTimer::gossip_surplus), now + surplus_interval);
      return;
    }
    if (!gossip_round(node, now)) return;
  }
}

void send_for_others(Node& node, Instant now, Bytes body) {
  std::array<Slot, 1> chosen;
  if (sample(node, now, chosen) == 1) send_gossip(node, chosen[0], body);
}

}  // namespace starling
