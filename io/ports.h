// Ports: where packets and streams come from and go to. The only inheritance in the project.
//
// Called per burst, so a virtual call costs nothing that can be measured; no call but wait()
// blocks. One thread, the lane's, uses a port; wake() alone may be called by any thread.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "core/base/time.h"
#include "core/shard/packets.h"
#include "core/shard/streams.h"

namespace starling::io {

class DatagramPort {
 public:
  virtual ~DatagramPort() = default;
  // Fills the front of `burst`; how many. The bytes stay valid until release().
  virtual std::size_t receive(std::span<RxPacket> burst) = 0;
  virtual void release(std::span<const RxPacket> burst) = 0;
  // Lends empty send buffers; how many. Each is given back by send().
  virtual std::size_t borrow(std::span<TxPacket> blanks) = 0;
  virtual void send(std::span<const TxPacket> filled) = 0;
};

class StreamPort {
 public:
  virtual ~StreamPort() = default;
  virtual void submit(std::span<const StreamOp> ops) = 0;
  // Delivers pending events by calling on_event for each; how many. Bytes of a readable event are
  // valid during the call. At most one readable chunk per stream and call: that is the
  // back-pressure, the kernel's buffers hold the rest.
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual void on_event(const StreamEvent& event) = 0;
  };
  virtual std::size_t deliver(Sink& sink) = 0;
};

// Everything a lane needs from the outside, opened together so that one wait covers all of it.
class Ports {
 public:
  virtual ~Ports() = default;
  virtual DatagramPort& datagrams() = 0;
  virtual StreamPort& streams() = 0;
  // Sleeps until something arrives, wake() is called, or `at_most` has passed; may return early.
  virtual void wait(Duration at_most) = 0;
  // From any thread: makes the current or the next wait() return.
  virtual void wake() = 0;
  // Where it is bound; the port number is known even when 0 was asked for.
  virtual Endpoint bound() const = 0;
  // "io_uring", "sockets", "memory": for the start-up line and stats.
  virtual std::string_view name() const = 0;
};

}  // namespace starling::io
