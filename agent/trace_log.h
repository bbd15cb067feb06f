// What the engine reports, as log lines: in Serf's and memberlist's words where they have some.
//
// Pure functions. Control thread.
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

// How many lines of this kind a second may enter the log, see LogLimiter: few of what was refused,
// more of what peers cause without being wrong.
unsigned lines_per_second(TraceKind kind);

}  // namespace starling::agent
