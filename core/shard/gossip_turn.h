// The gossip tick: queued updates to a few random members. protocol/memberlist section 14.1.
#pragma once

#include "core/shard/node.h"

namespace starling {

void gossip_turn(Node& node, Instant now);
// Another lane's gossip, for a random member of this one; ours is added while there is room.
void send_for_others(Node& node, Instant now, Bytes body);

// The blanks that a tick may need.
inline std::size_t gossip_packets_max(const Node& node) {
  return node.options.swim.gossip_nodes;
}

}  // namespace starling
