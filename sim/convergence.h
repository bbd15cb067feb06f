// Judges whether all running nodes agree on who is there, and says where they do not.
//
// Read from the member rows that the nodes' own events build up (protocol/serf section 6). Pure
// functions of a world.
#pragma once

#include <optional>
#include <string>

#include "sim/world.h"

namespace starling::sim {

// The first disagreement in words; nullopt when every running node that has not left shows every
// such node alive with its newest metadata, and shows nobody else alive or leaving.
std::optional<std::string> disagreement(const World& world);

// The same, and no node suspects another any more: nothing that began earlier is still to come.
bool settled(const World& world);

// True when every running, staying node shows `subject` with this status.
bool all_show(const World& world, NodeId subject, MemberStatus status);

// Nobody who stays shows it as alive or leaving: left, failed or forgotten.
bool all_gone(const World& world, NodeId subject);

}  // namespace starling::sim
