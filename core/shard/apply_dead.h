// Dead messages: members that failed, members that left, and lies about ourselves.
//
// protocol/memberlist section 10.4. A message whose sender is its subject means that it left.
#pragma once

#include "core/shard/node.h"

namespace starling {

// `ticket`: who waits for the broadcast of our own leave; 0 otherwise.
void apply_dead(Node& node, Instant now, const Dead& dead, Ticket ticket);

}  // namespace starling
