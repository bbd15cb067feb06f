#include "agent/swarm/agreement.h"

#include <algorithm>
#include <compare>
#include <map>

namespace starling::agent::swarm {

Agreement agreement(std::span<const Snapshot> engines) {
  // With the digest two engines that agree have the same rows, not only the same numbers.
  struct View {
    std::uint32_t alive, failed, left;
    std::uint64_t digest_root;
    std::uint32_t digest_count;
    auto operator<=>(const View&) const = default;
  };
  std::map<View, std::uint32_t> holders;
  Agreement result;
  for (const Snapshot& engine : engines) {
    if (engine.ended) continue;
    ++result.engines;
    result.oldest = std::min(result.oldest, engine.at);
    const Stats& stats = engine.stats;
    const View view{stats.members_alive, stats.members_failed, stats.members_left,
                    stats.digest_root, stats.digest_count};
    const std::uint32_t count = ++holders[view];
    if (count <= result.holders) continue;
    result.holders = count;
    result.alive = view.alive;
    result.failed = view.failed;
    result.left = view.left;
  }
  result.views = static_cast<std::uint32_t>(holders.size());
  return result;
}

}  // namespace starling::agent::swarm
