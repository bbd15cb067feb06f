// Notices that a user event was missed, and asks somebody for it.
//
// Serf's gossip loses an event at some member now and then, and the next push/pull brings it, half
// a minute later; a member that is replaced meanwhile never gets it. The idea: senders stamp events
// with consecutive Lamport times, so a time that is left out gives a missed event away with the
// next one. The gap is given as long as gossip takes; if it is still there, a member drawn at
// random is asked for its recent events, as in a push/pull but without the members. Not everything
// shows: the last event of a burst leaves no gap, nor does one of two with the same time; they wait
// for the push/pull as ever. Not every gap is an event, either: after some tries it is taken for a
// time that nobody used.
//
// The front lane's, on its thread. protocol/serf sections 3, 7 and 9.
#pragma once

#include "core/serf/lamport.h"
#include "core/shard/node.h"

namespace starling {

// An event has come that left out the times from `clock`, the clock before it came, up to its own.
void note_event_gap(Node& node, Instant now, LamportTime clock);
// The timer is due.
void event_repair_due(Node& node, Instant now);
// Asks this member.
void repair_events_from(Node& node, Instant now, std::string_view name, const Endpoint& peer);

}  // namespace starling
