#include "core/shard/gossip_turn.h"

#include <algorithm>

#include "core/shard/broadcast.h"
#include "core/shard/route.h"
#include "core/shard/send.h"

namespace starling {

namespace {

// How soon surplus rounds go on. A few turns in each tick spread them instead of sending bursts.
constexpr Duration surplus_interval = std::chrono::milliseconds(20);

bool gets_gossip(const Node& node, Instant now, Slot slot) {
  if (node.is_self(slot)) return false;
  const MemberState state = node.members.state(slot);
  if (state == MemberState::left) return false;
  if (state != MemberState::dead) return true;
  return now - node.members.state_changed(slot) <= node.options.swim.gossip_to_the_dead_time;
}

// Random members that gossip goes to; how many were found.
std::size_t sample(Node& node, Instant now, std::span<Slot> chosen) {
  return node.peers.sample(node.rng, chosen,
                           [&](Slot slot) { return !gets_gossip(node, now, slot); });
}

// The same, first of all those that did not get the last packets: as many of these as an update is
// sent in before its last time.
std::size_t sample_afresh(Node& node, Instant now, std::span<Slot> chosen) {
  RecentTargets& recent = node.gossip_recent;
  recent.keep(serf_transmits(node) - 1);
  std::size_t found = node.peers.sample(node.rng, chosen, [&](Slot slot) {
    return recent.contains(slot) || !gets_gossip(node, now, slot);
  });
  const std::span<const Slot> fresh = chosen.first(found);
  if (found < chosen.size()) {
    found += node.peers.sample(node.rng, chosen.subspan(found), [&](Slot slot) {
      return std::ranges::find(fresh, slot) != fresh.end() || !gets_gossip(node, now, slot);
    });
  }
  for (const Slot slot : chosen.first(found)) recent.add(slot);
  return found;
}

// The other lanes must know how many members here gossip may go to. In a long list the dead are few
// enough not to matter, and too many to look at.
std::uint32_t count_dead_targets(const Node& node, Instant now) {
  constexpr std::uint32_t few = 64;
  if (node.alone() || node.peers.size() > few) return 0;
  std::uint32_t count = 0;
  for (const Slot slot : node.peers.all()) {
    count += node.members.state(slot) == MemberState::dead && gets_gossip(node, now, slot);
  }
  return count;
}

bool send_to_own_members(Node& node, Instant now, std::size_t packets) {
  std::array<Slot, 16> chosen;
  const std::size_t count =
      sample_afresh(node, now, std::span(chosen).first(std::min(packets, chosen.size())));
  bool sent = count > 0;
  for (const Slot slot : std::span(chosen).first(count)) {
    sent = send_gossip(node, slot);
    if (!sent) break;
  }
  return sent;
}

// Draws the lanes whose members get the packets. What this lane has to say goes there by mail,
// because only the owner of a member knows where it is.
bool send_through_lanes(Node& node, Instant now, std::size_t packets) {
  const auto share = node.view->deal(&LaneView::gossip_targets, node.rng, packets);
  bool sent = send_to_own_members(node, now, share[static_cast<std::size_t>(node.id)]);
  ++node.gossip_rounds;
  for (std::uint32_t i = 0; i < node.lanes; ++i) {
    const ShardId lane{static_cast<std::uint8_t>(i)};
    for (std::uint32_t left = lane == node.id ? 0 : share[i]; left > 0; --left) {
      const Bytes body = gossip_body(node);
      if (body.empty()) return sent;
      sent |=
          post(node, lane, {.kind = MailKind::gossip, .number = node.gossip_rounds, .bytes = body});
      node.gossip_allowance.spend(body.size());
    }
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
  if (node.overrun()) return false;
  const std::size_t round_bytes =
      node.options.swim.gossip_nodes * node.options.swim.udp_buffer_bytes;
  const std::size_t round_packets = gossip_packets_max(node);
  return node.gossip_allowance.allowance(now) >= round_bytes &&
         node.out.packets_left() >= Outbox::packets_reserved + round_packets;
}

}  // namespace

bool anything_to_gossip(const Node& node) {
  return !node.broadcasts.empty() || !node.intent_queue.empty() || !node.query_queue.empty() ||
         !node.event_queue.empty();
}

void gossip_turn(Node& node, Instant now) {
  node.dead_gossip_targets = count_dead_targets(node, now);
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

void send_for_others(Node& node, Instant now, ShardId from, const Mail& mail) {
  GossipRound& round = node.gossip_round;
  if (round.lane != from || round.number != mail.number || round.count == round.chosen.size()) {
    round = {.lane = from, .number = mail.number, .count = 0, .chosen = {}};
  }
  const std::span<const Slot> before = std::span(round.chosen).first(round.count);
  std::array<Slot, 1> chosen;
  std::size_t found = node.peers.sample(node.rng, chosen, [&](Slot slot) {
    return !gets_gossip(node, now, slot) || std::ranges::find(before, slot) != before.end();
  });
  // Somebody twice is better than a packet lost: its updates are counted as sent.
  if (found == 0) found = sample(node, now, chosen);
  if (found == 0) return;
  round.chosen[round.count++] = chosen[0];
  send_gossip(node, chosen[0], mail.bytes);
}

}  // namespace starling
