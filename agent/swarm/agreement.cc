#include "agent/swarm/agreement.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace starling::agent::swarm {

Agreement agreement(std::span<const Snapshot> engines) {
  using View = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;
  std::map<View, std::uint32_t> holders;
  Agreement result;
  for (const Snapshot& engine : engines) {
    if (engine.ended) continue;
    ++result.engines;
    result.oldest = std::min(result.oldest, engine.at);
    const Stats& stats = engine.stats;
    const View view{stats.members_alive, stats.members_failed, stats.members_left};
    const std::uint32_t count = ++holders[view];
    if (count <= result.holders) continue;
    result.holders = count;
    std::tie(result.alive, result.failed, result.left) = view;
  }
  result.views = static_cast<std::uint32_t>(holders.size());
  return result;
}

}  // namespace starling::agent::swarm
