// The plan of a swarm's engines: the options of each, and the memory that all of them will take.
//
// Pure functions of the swarm's options.
#pragma once

#include <string>

#include "agent/swarm/swarm_options.h"
#include "io/port_options.h"

namespace starling::agent::swarm {

// `swim` and `serf` as Timing has made them. Engine `index` has its first member only.
EngineOptions engine_options(const SwarmOptions& options, const SwimOptions& swim,
                             const SerfOptions& serf, std::uint32_t index);
io::PortOptions port_options(const SwarmOptions& options, const EngineOptions& engine);

// Memory that the swarm will really use once everybody knows everybody, not what it reserves.
std::uint64_t memory_needed(const SwarmOptions& options);
// Free for a new program, as /proc/meminfo says it; 0 when it does not.
std::uint64_t memory_available();
// A sentence with all numbers when the swarm will not fit.
std::optional<std::string> memory_problem(const SwarmOptions& options, std::uint64_t available);

}  // namespace starling::agent::swarm
