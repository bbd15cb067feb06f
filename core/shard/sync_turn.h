// Anti-entropy with peers of this kind: tables are compared by digests, and only what differs is
// sent.
//
// Every push/pull interval a random member is asked where it stands, by an ordinary ping. A peer of
// this kind answers with its digest's root: equal tables are done with that. Otherwise an exchange
// (core/digest/exchange.h) makes them equal over datagrams. A peer that does not answer so is a Go
// peer and gets memberlist's full push/pull, at memberlist's pace. So do peers of this kind in a
// small cluster, for what digests do not hold: who left and who failed. Of several lanes the front
// lane leads; sync_lanes.h says what the others do.
#pragma once

#include "core/shard/node.h"
#include "wire/sync.h"

namespace starling {

// Up to this many members a full push/pull is cheap, and goes on at memberlist's pace.
inline constexpr std::uint32_t small_cluster_max = 1'024;

// The periodic turn; arms its own timer again.
void sync_turn(Node& node, Instant now);
// Asks a member where it stands, and goes on from there.
void compare_with(Node& node, Instant now, std::string_view name, const Endpoint& peer);
// A join. A node that knows many members asks first what kind the peer is, so as not to send all of
// them to one that goes on by digests.
void dial_join(Node& node, Instant now, const Endpoint& peer, const DialOptions& options);
// Members that were asked have not answered.
void sync_ask_due(Node& node, Instant now);
// The exchange wants to be called again.
void sync_due(Node& node, Instant now);

// A message of wire/sync.h, type byte included. The answer to our exchange is the front lane's,
// questions are any lane's.
void apply_sync(Node& node, Instant now, Bytes message, const Endpoint& from);
// The same once the other lanes have their part; `bytes`: its length.
void take_sync(Node& node, Instant now, const Endpoint& from, const SyncMessage& message,
               std::size_t bytes);
// True when the ack answers a question of ours.
bool apply_sync_ack(Node& node, Instant now, const Ack& ack);
// A push/pull with a peer of this kind is over: the tables may be large, and it brought only a
// part.
void begin_exchange(Node& node, Instant now, const Endpoint& peer);

// False on a node without digests, and while those of any lane are made anew for another key.
bool digests_complete(const Node& node);
// Ends an exchange of ours that runs: the digest begins anew.
void end_exchange(Node& node, Instant now);

// Where we stand, all lanes together; nothing on a node without digests, or whose digests are being
// made anew. The bytes lie in `room`.
Bytes own_standing(Node& node, StandingRoom& room);

}  // namespace starling
