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
struct StreamPing {
  SequenceNumber sequence;
  Instant deadline;
  Bytes message;  // the encoded ping
};
void dial_ping(Node& node, Instant now, const Endpoint& target, const StreamPing& ping);
// The parts of all lanes are there: writes the states that wait for them.
void state_gathered(Node& node, Instant now);
// A live member to exchange states with. Nothing when another lane was asked for one: it will mail
// who it is, and the use that was named.
enum class PeerUse : std::uint8_t { push_pull, event_repair };
std::optional<Slot> draw_peer(Node& node, PeerUse use);
// The same of this lane's own members.
std::optional<Slot> random_peer(Node& node);
// The periodic exchange with a random live member; arms its own timer again.
void push_pull_turn(Node& node, Instant now);

}  // namespace starling
