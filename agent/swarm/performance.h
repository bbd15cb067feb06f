// Performing an act on a swarm that has formed: do it, wait for what must follow, judge.
//
// What must follow and by when comes from the protocol, see Bounds; docs/swarm-json.md lists it.
#pragma once

#include "agent/swarm/stage.h"

namespace starling::agent::swarm {

ActResult perform(Stage& stage, const Act& act);

}  // namespace starling::agent::swarm
