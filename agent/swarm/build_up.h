// Building a swarm up: from engines that know only their own members to engines that know all.
//
// First each engine takes in its share. Then a hypercube of exchanges: in round r the engines whose
// numbers differ in bit r exchange their tables, all pairs at once, so that after log2 E rounds
// each row has crossed to each engine once. Whom gossip or a failed exchange left with a gap, or
// who has no partner because E is no power of two, exchanges with the one who knows most.
#pragma once

#include "agent/swarm/stage.h"

namespace starling::agent::swarm {

BuildUp build_up(Stage& stage);

}  // namespace starling::agent::swarm
