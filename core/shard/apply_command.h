// Commands of the engine's owner. protocol/serf sections 8 and 9.
#pragma once

#include "core/shard/commands.h"
#include "core/shard/node.h"

namespace starling {

void apply_command(Node& node, Instant now, const Command& command);

// The numbers of this moment.
Stats stats_of(const Node& node);

}  // namespace starling
