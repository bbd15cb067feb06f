// Agreement: whether all engines of a swarm know the same.
//
// Compared are the digests of the member tables, that is every row of every living member, and the
// numbers of members that are alive, failed and left. The length of the node list
// is not: each engine forgets its dead when its own round of probes ends. Pure functions.
#pragma once

#include <span>

#include "agent/swarm/swarm_engine.h"

namespace starling::agent::swarm {

struct Agreement {
  std::uint32_t engines = 0;  // that run
  std::uint32_t views = 0;    // different ones among them
  bool agreed() const { return engines > 0 && views == 1; }
  // What the most engines say.
  std::uint32_t alive = 0, failed = 0, left = 0;
  std::uint32_t holders = 0;        // how many say it
  Instant oldest = Instant::max();  // no engine's word is older
};

// Engines that have ended do not count.
Agreement agreement(std::span<const Snapshot> engines);

}  // namespace starling::agent::swarm
