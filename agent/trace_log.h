// What the engine reports, as log lines: in Serf's and memberlist's words where they have some.
//
// Pure functions but for TraceLimiter, which keeps a flood of bad packets from flooding the log.
// Control thread.
#pragma once

#include <optional>
#include <string>

#include "agent/log.h"
#include "core/shard/events.h"

namespace starling::agent {

struct TraceLine {
  LogLevel level = LogLevel::debug;
  std::string text;  // "memberlist: ..." or "serf: ..."
};

// `own_name` tells conflicts about ourselves from those about others.
TraceLine trace_line(const Event& trace, std::string_view own_name);

// The line of a member event; nullopt when only the status moved. `was_failed`: the member counted
// as failed before, so its leave was forced.
std::optional<TraceLine> member_line(const Event& event, bool was_failed);

// Lets through at most `lines_max` lines of refused input a second.
class TraceLimiter {
 public:
  static constexpr unsigned lines_max = 20;
  // False: leave this line out. `suppressed` is set to how many were left out in the second that
  // has just ended, or 0.
  bool admit(const Event& trace, std::uint64_t& suppressed);

 private:
  Instant second_began_{};
  unsigned lines_ = 0;
  std::uint64_t suppressed_ = 0;
};

}  // namespace starling::agent
