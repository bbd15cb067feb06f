// The first nodes of a simulated world, by the letters that tests call them.
#pragma once

#include "sim/node_id.h"

namespace starling::sim {

inline constexpr NodeId a{0}, b{1}, c{2};

}  // namespace starling::sim
