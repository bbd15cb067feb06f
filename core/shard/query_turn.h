// Queries: asked by our owner, seen from others, answered, and what comes back.
//
// protocol/serf sections 10 and 11. All of it happens on the front lane, but for handing relayed
// answers on. A query is for every member hosted here that its filters let through: each acks it,
// and the engine's first member is the one that answers, once, when the owner says so. The owner
// may answer for others as well, once each, when the query is for everybody: Serf's key queries
// count an answer of each member.
//
// Acks and responses go straight to the asker as user messages, and through `relay factor` random
// members besides. Those to ourselves do not touch the network: our own address may not lead back
// to us. The default time-out is gossip interval * 16 * ceil(log10(N + 1)) for N living members.
#pragma once

#include "core/shard/commands.h"
#include "core/shard/mail.h"
#include "core/shard/node.h"
#include "wire/serf_messages.h"

namespace starling {

// Command::Kind::query, respond and acknowledge.
void ask_query(Node& node, Instant now, const Command& command);
void answer_query(Node& node, Instant now, const Command& command);
void acknowledge_query(Node& node, Instant now, const Command& command);

// The time-out that a query gets which names none.
Duration default_query_timeout(const Node& node);

// A query that came, by gossip or from ourselves. True: news that should be broadcast on.
bool apply_query(Node& node, Instant now, const Query& query);
void apply_query_response(Node& node, Instant now, const QueryResponse& response);
// Somebody's answer to somebody else.
void apply_relay(Node& node, Instant now, const Relay& relay);
// Mail: hands a relay message to random members of this lane.
void relay_answer_for(Node& node, const Mail& mail);

// The deadline of an open query has come.
void query_due(Node& node, Instant now, std::uint32_t place);

}  // namespace starling
