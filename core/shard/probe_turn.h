// Probing: one member a period for each hosted member, directly, then through others and over a
// stream.
//
// protocol/memberlist sections 6.1-6.4, 11 and 12. The probe is a small state machine: a tick
// starts it, an ack ends it, its stage timer moves it on: direct -> indirect -> failed.
#pragma once

#include "core/shard/node.h"

namespace starling {

// The ticks that are due: in a probe interval every hosted member has one, evenly spread. Arms its
// own timer again.
void probe_ticks(Node& node, Instant now);
// The stage timer: no direct ack in time, or the whole probe is over.
void probe_stage_due(Node& node, Instant now, Hosted& member);
// Ends a probe without a verdict.
void end_probe(Node& node, Hosted& member);
// Who waits for the fallback ping with this number; nullptr when nobody does any more.
const Hosted* indirect_prober(Node& node, SequenceNumber sequence);

void apply_ping(Node& node, Instant now, const Ping& ping, const Endpoint& from);
void apply_indirect_ping(Node& node, Instant now, const IndirectPing& ping, const Endpoint& from);
void apply_ack(Node& node, Instant now, const Ack& ack);
void apply_nack(Node& node, const Nack& nack);
// Nobody answered the indirect probe that we do for somebody else.
void relay_due(Node& node, std::uint32_t relay);
// Another lane's probe needs one of our members as a relay; one of theirs was found.
void relay_for(Node& node, ShardId asker, const Mail& mail);
void relay_sent(Node& node, const Mail& mail);
// The fallback ping over a stream was answered.
void stream_ping_acked(Node& node, SequenceNumber sequence);

// Changes a health score and reports it (also refutations do).
void change_health(Node& node, Instant now, Hosted& member, int delta);

// The blanks that a stage may need.
inline std::size_t probe_packets_max(const Node& node) {
  return node.options.swim.indirect_checks + 1;
}

}  // namespace starling
