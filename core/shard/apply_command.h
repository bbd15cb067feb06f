// Commands of the engine's owner. protocol/serf sections 8 and 9.
#pragma once

#include "core/shard/commands.h"
#include "core/shard/hosting.h"
#include "core/shard/node.h"

namespace starling {

void apply_command(Node& node, Instant now, const Command& command);

// The numbers of this moment, of this lane.
Stats stats_of(const Node& node);
// Another lane's numbers have come.
void add_stats(Node& node, Instant now, ShardId from, const Mail& mail);
// The answer to a command that took a member in.
void answer_host(Node& node, Instant now, std::uint64_t token, HostProblem problem);

}  // namespace starling
