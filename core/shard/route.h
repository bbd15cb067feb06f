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

// The lane that must apply a message, and whom the message is about.
struct Route {
  ShardId owner{};
  NameHash subject{};  // 0: nobody
};
// Of a message with its type byte first. What cannot be decoded stays here, where it is counted.
Route route_of(Node& node, Bytes message);
// The lane that a sequence number waits in; a number of no lane stays here, unmatched.
ShardId owner_of(const Node& node, SequenceNumber sequence);

// Sends mail; a record that is lost because the ring is full is counted.
bool post(Node& node, ShardId to, const Mail& mail);
// The same with messages of a datagram; each counts.
void post_bundle(Node& node, ShardId to, const Endpoint& from, std::span<const Parcel> parcels);
// The same to every other lane.
void post_all(Node& node, const Mail& mail);

}  // namespace starling
