// Ports: where packets and streams come from and go to. The only inheritance in the project.
//
// Called per burst, so a virtual call costs nothing that can be measured; no call but wait()
// blocks. One thread, the lane's, uses a port; wake() alone may be called by any thread.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string_view>

#include "core/base/time.h"
#include "core/shard/packets.h"
#include "core/shard/streams.h"

namespace starling::io {

// What the ports lost or gave up, since they were opened. The lane's thread counts, any thread may
// read: each value is its own, they need not fit together.
struct PortCounters {
  std::atomic<std::uint64_t> datagrams_received = 0;
  std::atomic<std::uint64_t> datagrams_sent = 0;
  std::atomic<std::uint64_t> datagrams_too_large = 0;    // received, cut off, dropped
  std::atomic<std::uint64_t> datagrams_send_failed = 0;  // refused by the system: full, unreachable
  // Of those sent, the ones that left together with others in one send; and how often the system
  // did not take such a send, so that each datagram left alone.
  std::atomic<std::uint64_t> datagrams_grouped = 0;
  std::atomic<std::uint64_t> groups_refused = 0;
  std::atomic<std::uint64_t> receive_pauses = 0;  // no free receive buffer
  std::atomic<std::uint64_t> streams_accepted = 0;
  std::atomic<std::uint64_t> streams_dialled = 0;
  std::atomic<std::uint64_t> accept_failed = 0;  // out of descriptors or memory
};

// One writer, so no read-modify-write is needed; relaxed because nothing else is published by it.
inline void count(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) {
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

class DatagramPort {
 public:
  virtual ~DatagramPort() = default;
  // Fills the front of `burst`; how many. The bytes stay valid until release(). Datagrams may be
  // released in any order.
  virtual std::size_t receive(std::span<RxPacket> burst) = 0;
  virtual void release(std::span<const RxPacket> burst) = 0;
  // Lends empty send buffers; how many. Each is given back by send(), at the latest when the port
  // is destroyed.
  virtual std::size_t borrow(std::span<TxPacket> blanks) = 0;
  // Hands all of them to the system before it returns. What the system refuses is lost, as a
  // datagram may be, and counted. A packet of 0 bytes is given back unsent.
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
  virtual const PortCounters& counters() const = 0;
  // The last call of the lane's thread: gives back what only that thread can. Afterwards only
  // counters() and the destructor may be called, by any thread. Optional; without it the system
  // may hold the addresses for some milliseconds after destruction.
  virtual void leave() {}
};

}  // namespace starling::io
