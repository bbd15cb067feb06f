#include "core/shard/gossip_turn.h"

#include "core/shard/route.h"
#include "core/shard/send.h"

namespace starling {

namespace {

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

// Draws for each packet the lane whose member gets it. What this lane has to say goes there by
// mail, because only the owner of a member knows where it is.
void gossip_through_lanes(Node& node, Instant now, std::size_t packets) {
  for (std::size_t i = 0; i < packets; ++i) {
    const ShardId lane = node.view->draw(&LaneView::nodes, node.rng, node.id);
    if (lane == node.id) {
      std::array<Slot, 1> chosen;
      if (sample(node, now, chosen) == 1 && !send_gossip(node, chosen[0])) return;
      continue;
    }
    const Bytes body = gossip_body(node);
    if (body.empty()) return;
    post(node, lane, {.kind = MailKind::gossip, .bytes = body});
  }
}

}  // namespace

void gossip_turn(Node& node, Instant now) {
  std::array<Slot, 16> chosen;
  const std::size_t wanted = std::min<std::size_t>(node.options.swim.gossip_nodes, chosen.size());
  if (!node.alone()) return gossip_through_lanes(node, now, wanted);
  const std::size_t count = sample(node, now, std::span(chosen).first(wanted));
  for (const Slot slot : std::span(chosen).first(count)) {
    if (!send_gossip(node, slot)) return;
  }
}

void send_for_others(Node& node, Instant now, Bytes body) {
  std::array<Slot, 1> chosen;
  if (sample(node, now, chosen) == 1) send_gossip(node, chosen[0], body);
}

}  // namespace starling
