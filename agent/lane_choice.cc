#include "agent/lane_choice.h"

#include <algorithm>
#include <charconv>

#include "core/shard/node_view.h"

namespace starling::agent {

std::optional<std::uint32_t> lane_count(std::string_view text, unsigned cores) {
  if (text == "auto") return std::clamp(cores, 1u, lanes_max);
  std::uint32_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc{} || stop != end || count < 1 || count > lanes_max) return std::nullopt;
  return count;
}

std::optional<Duration> wait_mode_from(std::string_view text) {
  if (text == "block") return Duration::zero();
  if (text == "adaptive") return std::chrono::microseconds(50);
  if (text == "busy") return Duration::max();
  return std::nullopt;
}

}  // namespace starling::agent
