// Network coordinates in a shard: what acks carry, what probes measure, what the owner asks.
//
// protocol/serf section 14. A node has one coordinate, whatever lanes and hosted members it has:
// they stand at the same place. It is moved on the front lane only. The other lanes mail it what
// their probes measure, and it mails them the coordinate that results, which all give with their
// acks.
#pragma once

#include "core/shard/commands.h"
#include "core/shard/node.h"

namespace starling {

// What one probe of `name` found out. `payload` is the ack's: nothing from peers without
// coordinates.
struct ProbeMeasurement {
  std::string_view name;
  Bytes payload;
  Duration round_trip{};
};

// Called once at start, on every lane.
void start_coordinates(Node& node);
// The payload of our acks; empty where coordinates are off.
Bytes own_coordinate_payload(const Node& node);

// A probe was acknowledged by its target itself, in time.
void take_measurement(Node& node, Instant now, const ProbeMeasurement& measurement);
// Serf forgets this member: so do we.
void forget_coordinate(Node& node, std::string_view name);

// Answers Command::Kind::coordinate.
void answer_coordinate(Node& node, Instant now, const Command& command);

// Mail of the three kinds that are about coordinates.
void apply_coordinate_mail(Node& node, Instant now, const Mail& mail);

}  // namespace starling
