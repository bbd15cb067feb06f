// The Serf layer's reactions: members coming and going, intents, user events. Queries are in
// query_turn.h.
//
// protocol/serf sections 6 and 9. The state machines are core/serf's; here their outcomes
// become reports, re-broadcasts and rows. A Serf message is re-broadcast as the bytes that arrived.
#pragma once

#include "core/shard/node.h"
#include "wire/serf_messages.h"

namespace starling {

// memberlist's news.
void serf_joined(Node& node, Instant now, Slot slot);
void serf_updated(Node& node, Instant now, Slot slot);
void serf_gone(Node& node, Instant now, Slot slot);

// A user message of memberlist, without its type byte. `from` is the datagram's source.
void apply_user_message(Node& node, Instant now, Bytes message, const Endpoint& from);

// True: news that should be broadcast on (push/pull does not).
bool apply_leave_intent(Node& node, Instant now, const LeaveIntent& intent);
bool apply_join_intent(Node& node, Instant now, const JoinIntent& intent);
bool apply_user_event(Node& node, Instant now, const UserEvent& event);

// Stamps, applies and queues a join intent about a hosted member.
void announce_join(Node& node, Instant now, Hosted& member);
// The same for every hosted member, if there are few; for the speaker alone if they are many: of
// the others their alive messages tell enough.
void announce_joins(Node& node, Instant now);
// ... of those whose home is this lane.
void announce_own_joins(Node& node, Instant now);

// Sends `message` (a Serf message) directly to a member, outside gossip.
void send_user_message(Node& node, const Endpoint& to, Bytes message);

}  // namespace starling
