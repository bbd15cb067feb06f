// MonotonicClock: where instants come from. The only clock below the agent.
#pragma once

#include <chrono>

#include "core/base/time.h"

namespace starling::io {

// Any thread may read it. Never goes backwards; its zero is the machine's start.
class MonotonicClock {
 public:
  static Instant now() {
    return Instant(
        std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
  }
};

}  // namespace starling::io
