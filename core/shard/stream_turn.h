// What happens on streams: serving peers, push/pull with them, and fallback pings.
//
// protocol/memberlist sections 5, 11.2 and 15. One request per connection and at most one answer.
// Node states are applied as they arrive, in bounded memory (see merge.h).
#pragma once

#include "core/shard/node.h"

namespace starling {

void apply_stream_event(Node& node, Instant now, const StreamEvent& event);
// A session's time is over.
void session_due(Node& node, Instant now, std::uint32_t index);

// Starts an exchange of full states with `peer`.
void dial_push_pull(Node& node, Instant now, const Endpoint& peer, const DialOptions& options);
// Starts a fallback ping; an ack in time is reported with stream_ping_acked.
void dial_ping(Node& node, Instant now, Slot target, SequenceNumber sequence, Instant deadline);
// The periodic exchange with a random live member; arms its own timer again.
void push_pull_turn(Node& node, Instant now);

}  // namespace starling
