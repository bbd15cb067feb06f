// Which lane a message belongs to: the owner of the member it is about.
//
// Pings are answered where they arrive, acks and nacks go to the lane whose number their sequence
// carries, user events, queries and their answers to lane 0, where the node remembers which it has
// seen and which it has asked. With one lane everything is its own and none of this runs.
#pragma once

#include "core/shard/node.h"

namespace starling {

// The lane of node-wide work: streams, user events, queries, commands.
inline constexpr ShardId front_lane{0};

// The lane that must apply this message (type byte first). What cannot be decoded stays here, where
// it is counted.
ShardId owner_of(Node& node, Bytes message);
// The lane that a sequence number waits in; a number of no lane stays here, unmatched.
ShardId owner_of(const Node& node, SequenceNumber sequence);

// Sends mail; a record that is lost because the ring is full is counted.
bool post(Node& node, ShardId to, const Mail& mail);
// The same to every other lane.
void post_all(Node& node, const Mail& mail);

}  // namespace starling
