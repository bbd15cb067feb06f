#include "core/shard/gossip_turn.h"

#include "core/shard/send.h"

namespace starling {

void gossip_turn(Node& node, Instant now) {
  std::array<Slot, 16> chosen;
  const Duration to_the_dead = node.options.swim.gossip_to_the_dead_time;
  const std::size_t wanted = std::min<std::size_t>(node.options.swim.gossip_nodes, chosen.size());
  const std::size_t count =
      node.peers.sample(node.rng, std::span(chosen).first(wanted), [&](Slot slot) {
        if (node.is_self(slot)) return true;
        const MemberState state = node.members.state(slot);
        if (state == MemberState::left) return true;
        if (state != MemberState::dead) return false;
        return now - node.members.state_changed(slot) > to_the_dead;
      });
  for (const Slot slot : std::span(chosen).first(count)) {
    if (!send_gossip(node, slot)) return;
  }
}

}  // namespace starling
