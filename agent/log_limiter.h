// Keeps what outsiders cause from flooding the log: so many lines of a kind a second, and then
// their number.
//
// Owned by the agent, control thread only. Bound: a row for each kind, and kinds are names in the
// program, never text from outside.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string_view>

#include "core/base/time.h"

namespace starling::agent {

class LogLimiter {
 public:
  // Of what is refused: enough to see who sends what, and a flood stays readable.
  static constexpr unsigned refused_lines_max = 10;
  // Of what peers and clients may say as often as they like, but which a large cluster that comes
  // up says as well.
  static constexpr unsigned told_lines_max = 1'000;

  // `on_owing` is called when a line is left out and nothing was owing before: somebody must call
  // settle() in a second or so.
  explicit LogLimiter(std::function<void()> on_owing = {}) : on_owing_(std::move(on_owing)) {}

  // True: write the line. `kind` must outlive the limiter.
  bool admit(std::string_view kind, Instant now, unsigned lines_per_second = refused_lines_max);
  // Tells of each kind how many lines were left out since the last time.
  void settle(const std::function<void(std::string_view kind, std::uint64_t lines)>& tell);

 private:
  struct Kind {
    Instant second_began;
    unsigned lines = 0;
    std::uint64_t left_out = 0;
  };
  std::function<void()> on_owing_;
  bool owing_ = false;
  std::map<std::string_view, Kind> kinds_;
};

}  // namespace starling::agent
