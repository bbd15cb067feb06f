// The gossip tick: queued updates to a few random members. protocol/memberlist section 14.1.
//
// memberlist sends gossip_nodes packets a tick, whatever waits. While all that is queued fits into
// them, this does the same. Beyond that (a thousand updates a second in a cluster of a million need
// a hundred times as many packets) memberlist's queue grows without end. Here further rounds
// follow, each to members drawn anew, until the rest fits into the packets of a tick or the
// allowance of SwimOptions::gossip_bytes_per_second_max is spent. An update is sent as often as
// ever, only sooner. A lane that more arrives at than it gets through sends none of these rounds:
// where everybody gossips at that rate, acks would be lost for news, and each lost ack makes more
// news.
#pragma once

#include "core/shard/node.h"

namespace starling {

void gossip_turn(Node& node, Instant now);
// Whether a tick would have anything to send.
bool anything_to_gossip(const Node& node);
// Another lane's gossip, for a random member of this one; ours is added while there is room. The
// packets of one of its rounds go to different members.
void send_for_others(Node& node, Instant now, ShardId from, const Mail& mail);
// Further rounds between two ticks, while updates are queued that the ticks cannot hold.
void gossip_surplus_turn(Node& node, Instant now);

// The blanks that a tick may need.
inline std::size_t gossip_packets_max(const Node& node) {
  return node.options.swim.gossip_nodes;
}

}  // namespace starling
