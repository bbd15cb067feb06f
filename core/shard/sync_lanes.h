// What the lanes of a node do for each other when its table is compared with a peer's.
//
// Each lane has the rows of its buckets and keeps their digest; every lane can read all digests, so
// each answers for the whole table what takes no rows. The rows themselves are their lane's:
// whoever takes a message that names rows of others passes it on, and they answer the peer
// directly, which does not notice, for a responder remembers nothing. The exchange that this node
// leads is the front lane's. What is said last, "this is where I stand", waits for all lanes
// (SyncState::held). A full ring loses a part, as a socket would: the exchange asks again, or finds
// the difference next time.
#pragma once

#include "core/shard/node.h"
#include "wire/sync.h"

namespace starling {

struct BucketRange {
  Bucket first{};
  std::uint32_t buckets = 0;
};

// The lanes that own these buckets, as a bit mask.
std::uint32_t owners_of(const Node& node, const BucketRange& range);

// A message that this lane has taken, with the type byte in `message`: gives the other lanes their
// part. True: there is nothing to do for this one now.
bool pass_on(Node& node, Instant now, const Endpoint& from, Bytes message,
             const SyncMessage& decoded);
// Sends a finished message, or acts on it, when all other lanes have done what they were asked for
// before, and their packets are out.
void hold(Node& node, Instant now, const Endpoint& peer, Bytes message, bool outgoing);

// Asks the lanes that own the others of these symbols, in ascending order, to send their rows to
// `to`; returns our own.
std::span<const Symbol> ask_owners(Node& node, std::span<Symbol> symbols, const SyncHeader& header,
                                   const Endpoint& to);
// Asks the other lanes for their rows of these buckets whose names have none of the fingerprints.
void ask_for_unseen(Node& node, const BucketRange& range,
                    std::span<const std::uint32_t> fingerprints, const SyncHeader& header,
                    const Endpoint& to);

// A mail whose kind begins with sync_.
void apply_sync_mail(Node& node, Instant now, ShardId from, const Mail& mail);

}  // namespace starling
