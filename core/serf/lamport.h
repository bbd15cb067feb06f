// Serf's logical clock: orders intents, user events and queries without a wall clock.
//
// protocol/serf section 3. A value owned by whoever stamps and receives one kind of message; one
// thread. A node has three: member, event and query.
#pragma once

#include "wire/base/types.h"

namespace starling {

class LamportClock {
 public:
  constexpr LamportClock() = default;
  constexpr explicit LamportClock(LamportTime start) : now_(start) {}

  constexpr LamportTime time() const { return now_; }

  // One step on; the new value.
  constexpr LamportTime increment() {
    now_ = LamportTime{to_number(now_) + 1};
    return now_;
  }

  // A time seen elsewhere: the clock goes past it. An equal time counts as news. The largest time
  // of all has nothing past it; the clock stays there instead of starting over.
  constexpr void witness(LamportTime seen) {
    if (seen < now_) return;
    now_ = to_number(seen) == UINT64_MAX ? seen : LamportTime{to_number(seen) + 1};
  }

  // Push/pull carries the sender's clock, which is one past what it has seen. Zero says nothing.
  constexpr void witness_clock(LamportTime remote) {
    if (to_number(remote) > 0) witness(LamportTime{to_number(remote) - 1});
  }

 private:
  LamportTime now_{};
};

}  // namespace starling
