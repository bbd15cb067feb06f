#include "sim/bounds.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace starling::sim {

namespace {
std::int64_t thousandths(std::size_t nodes) {
  const double scale =
      std::max(1.0, std::log10(static_cast<double>(std::max<std::size_t>(nodes, 1))));
  return static_cast<std::int64_t>(scale * 1000);
}
std::int64_t ceil_log2(std::size_t nodes) {
  return nodes < 2 ? 0 : std::bit_width(nodes - 1);
}
}  // namespace

Duration suspicion_min(const SwimOptions& swim) {
  return swim.probe_interval * static_cast<std::int64_t>(swim.suspicion_mult);
}

Duration suspicion_max(const SwimOptions& swim, std::size_t nodes) {
  const auto mult = static_cast<std::int64_t>(swim.suspicion_mult);
  const auto stretch = static_cast<std::int64_t>(swim.suspicion_max_timeout_mult);
  return swim.probe_interval * (mult * thousandths(nodes)) / 1000 * stretch;
}

Duration dissemination(const SwimOptions& swim, std::size_t nodes) {
  const auto n = static_cast<double>(std::max<std::size_t>(nodes, 2));
  const auto fan_out = static_cast<double>(std::max(swim.gossip_nodes, 1u));
  const double transmits = static_cast<double>(swim.retransmit_mult) * std::ceil(std::log10(n + 1));
  const double spread = std::log(n) / std::log(fan_out + 1) + std::log(n) / fan_out;
  const double ticks = 2 * (std::ceil(transmits / fan_out) + spread + 1);
  return swim.gossip_interval * static_cast<std::int64_t>(std::ceil(ticks));
}

Duration push_pull_interval(const SwimOptions& swim, std::size_t nodes) {
  if (nodes <= 32) return swim.push_pull_interval;
  const double factor = std::ceil(std::log2(static_cast<double>(nodes)) - 5) + 1;
  return swim.push_pull_interval * static_cast<std::int64_t>(factor);
}

Duration detection(const SwimOptions& swim, std::size_t nodes) {
  const Duration stretched =
      swim.probe_interval * static_cast<std::int64_t>(swim.awareness_max_multiplier);
  const Duration round = swim.probe_interval * static_cast<std::int64_t>(nodes);
  return round + stretched + 2 * suspicion_max(swim, nodes) + 2 * dissemination(swim, nodes) +
         2 * push_pull_interval(swim, nodes);
}

Duration delivery(const SwimOptions& swim, std::size_t nodes) {
  return dissemination(swim, nodes) + 4 * push_pull_interval(swim, nodes) + swim.stream_timeout;
}

Duration stayers(const SerfOptions& serf) {
  return 2 * (2 * serf.broadcast_timeout + serf.leave_propagate_delay) + serf.reap_interval;
}

Duration convergence(const SwimOptions& swim, const SerfOptions& serf, std::size_t nodes) {
  const Duration joins = 2 * swim.stream_timeout + std::chrono::seconds(2);
  const Duration reconnects = 14 * serf.reconnect_interval;
  const std::int64_t rounds = ceil_log2(nodes) + 4;
  return joins + detection(swim, nodes) + reconnects + stayers(serf) +
         rounds * (push_pull_interval(swim, nodes) + dissemination(swim, nodes));
}

}  // namespace starling::sim
