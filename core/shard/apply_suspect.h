// Suspect messages, and the timers of suspicions. protocol/memberlist sections 10.3 and 13.
#pragma once

#include "core/shard/node.h"

namespace starling {

void apply_suspect(Node& node, Instant now, const Suspect& suspect);
// The suspicion of this member has run out: it is declared dead.
void suspicion_due(Node& node, Instant now, Slot slot);

}  // namespace starling
