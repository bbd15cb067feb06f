// The gossip tick: queued updates to a few random members. protocol/memberlist section 14.1.
#pragma once

#include "core/shard/node.h"

namespace starling {

void gossip_turn(Node& node, Instant now);

// The blanks that a tick may need.
inline std::size_t gossip_packets_max(const Node& node) {
  return node.options.swim.gossip_nodes;
}

}  // namespace starling
