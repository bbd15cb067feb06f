// Durations as Go writes and reads them: "300ms", "1.5h", "2h45m", "1m0s".
#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <string_view>

namespace starling::agent {

using Duration = std::chrono::nanoseconds;  // the same type as the core's

// The error is Go's own text, e.g. `time: missing unit in duration "5"`.
std::expected<Duration, std::string> parse_duration(std::string_view text);

std::string format_duration(Duration value);

inline double in_seconds(Duration value) {
  return std::chrono::duration<double>(value).count();
}

}  // namespace starling::agent
