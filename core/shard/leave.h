// A graceful leave, and the commands that wait for a broadcast to go out.
//
// protocol/serf section 8: first Serf's leave intent, then memberlist's dead message about
// ourselves (with the intent once more), then a pause so that both can spread. Each broadcast is
// waited for at most the broadcast time-out; a time-out does not stop the leave.
#pragma once

#include "core/shard/node.h"

namespace starling {

// One hosted member leaves; `token` is answered when it has left.
void begin_leave(Node& node, Instant now, Hosted& member, std::uint64_t token);
// All of them leave; `token` is answered when the last has left.
void leave_all(Node& node, Instant now, std::uint64_t token);
// The timer of a leaving member: the next stage, or, after the pause behind the broadcasts, the
// end.
void leave_due(Node& node, Instant now, Hosted& member);

// Answers the leave of all members if this was the last of them.
void member_has_left(Node& node, Instant now);
// Arms the time-out of a waiter that was just added.
void arm_wait(Node& node, Instant now, Ticket ticket);
// A waiter's broadcast went out (`finished`) or its time is over.
void end_wait(Node& node, Instant now, const Waiters::Waiter& waiter, bool finished);
void wait_due(Node& node, Instant now, std::uint32_t place);

}  // namespace starling
