// Queueing what gossip carries, and taking it out again in the right order.
//
// protocol/memberlist section 14, protocol/serf section 5. Membership updates go first, then Serf's
// intents, queries and events, each seeing the room that is left.
#pragma once

#include "core/shard/node.h"

namespace starling {

// memberlist names a broadcast after its subject, so that the newest statement about a member
// replaces the older ones; refutations have a name of their own (section 10.5).
Subject subject_of(Slot slot);
Subject refutation_subject(const Node& node, const Hosted& member);

// Encodes and queues a statement about a member. `ticket` as in Waiters; 0: nobody waits.
template <class Message>
void broadcast(Node& node, Subject subject, const Message& message, Ticket ticket = 0) {
  std::array<std::byte, 4096> room;
  Writer out(room);
  encode(message, out);
  CHECK(out.ok());  // names and metadata are bounded when they come in
  node.broadcasts.enqueue(subject, out.written(), ticket);
}

// Queues a Serf message (its type byte first), in the queue of its kind.
enum class SerfQueue : std::uint8_t { intents, queries, events };
void broadcast_serf(Node& node, SerfQueue queue, Bytes message, Ticket ticket = 0);

// Adds queued messages to a datagram, `bytes_max` of them including each part's overhead.
void fill_broadcasts(Node& node, CompoundBuilder& builder, std::size_t bytes_max);

// memberlist's and Serf's transmit limits as of now.
std::uint32_t membership_transmits(const Node& node);
std::uint32_t serf_transmits(const Node& node);

// Answers the waiters of broadcasts that were sent out, replaced or dropped.
void finish_broadcasts(Node& node, Instant now);

}  // namespace starling
