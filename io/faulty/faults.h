// Faults: what a FaultyPorts does to the traffic that passes it, changeable while it runs.
//
// The plain values are Faults; FaultControls holds them where any thread may change them and the
// lane's thread reads them. Probabilities are in [0, 1].
#pragma once

#include <mutex>

#include "core/base/time.h"
#include "wire/base/types.h"

namespace starling::io {

// One direction of datagrams. Each datagram is lost, else perhaps corrupted, duplicated, delayed.
// Delays differ from datagram to datagram, which is what puts them out of order.
struct DatagramFaults {
  double loss = 0;
  double corruption = 0;  // one bit is flipped
  double duplication = 0;
  double delay = 0;
  Duration delay_min{};
  Duration delay_max{};
};

struct StreamFaults {
  double refusal = 0;  // per connect: fails as refused
  double reset = 0;    // per chunk read: the stream fails as reset
  // A slow stream: writes go out in pieces of this size with this pause in between. 0: at once.
  std::size_t piece_bytes = 0;
  Duration pause{};
};

struct Faults {
  DatagramFaults outgoing;
  DatagramFaults incoming;
  StreamFaults streams;
};

class FaultControls {
 public:
  void set(const Faults& faults) {
    const std::lock_guard lock(mutex_);
    faults_ = faults;
  }
  Faults get() const {
    const std::lock_guard lock(mutex_);
    return faults_;
  }

 private:
  mutable std::mutex mutex_;
  Faults faults_;
};

}  // namespace starling::io
