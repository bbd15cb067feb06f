#include "core/swim/scaling.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace starling {

Duration suspicion_timeout(std::uint32_t multiplier, std::uint32_t members, Duration interval) {
  const double scale = std::max(1.0, std::log10(std::max(1.0, static_cast<double>(members))));
  const auto thousandths = static_cast<Duration::rep>(scale * 1000);
  return Duration(Duration::rep{multiplier} * thousandths * interval.count() / 1000);
}

std::uint32_t suspicion_confirmations(std::uint32_t multiplier, std::uint32_t members) {
  if (multiplier <= 2) return 0;
  const std::uint32_t wanted = multiplier - 2;
  // Not counting the accused and ourselves, there must be that many accusers.
  return members >= 2 && members - 2 >= wanted ? wanted : 0;
}

Duration suspicion_remaining(const SuspicionProgress& progress) {
  // In floating seconds and cut to milliseconds, as memberlist computes it.
  const auto seconds = [](Duration time) { return std::chrono::duration<double>(time).count(); };
  Duration timeout = progress.min;
  if (progress.confirmations_needed > 0) {
    const double share = std::log(static_cast<double>(progress.confirmations) + 1.0) /
                         std::log(static_cast<double>(progress.confirmations_needed) + 1.0);
    const double max = seconds(progress.max);
    const double raw = max - share * (max - seconds(progress.min));
    const std::chrono::milliseconds whole(
        static_cast<std::chrono::milliseconds::rep>(std::floor(1000.0 * raw)));
    timeout = std::max<Duration>(whole, progress.min);
  }
  return timeout - progress.elapsed;
}

Duration push_pull_scale(Duration interval, std::uint32_t members) {
  constexpr std::uint32_t threshold = 32;
  if (members <= threshold) return interval;
  // ceil(log2 members) - log2(threshold) + 1, in whole numbers.
  return interval * (std::bit_width(members - 1) - std::bit_width(threshold - 1) + 1);
}

std::uint32_t retransmit_limit(std::uint32_t multiplier, std::uint32_t members) {
  std::uint32_t scale = 0;
  for (std::uint64_t power = 1; power < std::uint64_t{members} + 1; power *= 10) ++scale;
  return multiplier * scale;
}

}  // namespace starling
