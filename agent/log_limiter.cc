#include "agent/log_limiter.h"

#include <utility>

namespace starling::agent {

bool LogLimiter::admit(std::string_view kind, Instant now, unsigned lines_per_second) {
  const auto [at, is_new] = kinds_.try_emplace(kind, Kind{.second_began = now});
  Kind& known = at->second;
  if (!is_new && now - known.second_began >= std::chrono::seconds(1)) {
    known.second_began = now;
    known.lines = 0;
  }
  if (known.lines < lines_per_second) {
    ++known.lines;
    return true;
  }
  ++known.left_out;
  if (!std::exchange(owing_, true) && on_owing_) on_owing_();
  return false;
}

void LogLimiter::settle(
    const std::function<void(std::string_view kind, std::uint64_t lines)>& tell) {
  owing_ = false;
  for (auto& [kind, known] : kinds_) {
    if (known.left_out > 0) tell(kind, std::exchange(known.left_out, 0));
  }
}

}  // namespace starling::agent
