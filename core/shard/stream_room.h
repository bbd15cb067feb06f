// Who gets a session when many streams come: so that nobody who opens streams and asks for nothing
// keeps everybody else out, neither from a session nor in the backlog of a port without a free row.
//
// An honest request is whole within milliseconds, and who sends a large one sends on. So each
// source has a share of the sessions (CapacityOptions::source_streams, which several sources divide
// when sessions get scarce). A stream beyond it ends soon after it falls silent, and each one that
// comes then ends the one that was silent for longest. Of a source within its share, a stream has
// an eighth of the usual time while no more than an eighth of the sessions is left. What comes in
// one burst may be more than the share for a moment: a cluster that starts behind one address is no
// flood.
//
// Decisions only; stream_turn carries them out. All of them look at every session once.
#pragma once

#include "core/shard/node.h"

namespace starling {

// The stream that ends before one of `source` is taken; nullptr: none has to.
Session* in_the_way(Node& node, Instant now, const IpAddress& source);
// When a stream that waits for the rest of its request is to be looked at again.
Instant next_look(const Node& node, Instant now, const Session& session);
// True: such a stream has to end although it is not due.
bool overdue(const Node& node, Instant now, const Session& session);
// Some bytes came. Those that drip are as good as none.
void note_heard(Session& session, Instant now, Bytes bytes);

}  // namespace starling
