// Instants and durations for protocol code: a clock type that cannot be read.
//
// Values only. Time enters the core as an argument `Instant now`; whoever calls the core reads the
// real or the virtual clock.
#pragma once

#include <chrono>

namespace starling {

// A clock without now(): protocol code can hold and compare instants, never read them.
struct Monotonic {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Monotonic>;
  static constexpr bool is_steady = true;
};
using Duration = Monotonic::duration;
using Instant = Monotonic::time_point;

}  // namespace starling
