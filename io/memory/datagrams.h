// MemoryDatagrams: the inbox of one memory port, and sending to the inboxes of others.
//
// Owned by MemoryPorts. The lane's thread calls it; put() is called by the sender's thread. All of
// it under the switchboard's lock.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "io/memory/switchboard.h"
#include "io/port_options.h"
#include "io/ports.h"
#include "io/slot_pool.h"

namespace starling::io {

class MemoryDatagrams final : public DatagramPort {
 public:
  // Datagrams that wait beyond those the lane holds; what comes when it is full is lost.
  static constexpr std::size_t waiting_max = 16'384;

  static std::expected<std::unique_ptr<MemoryDatagrams>, std::string> create(
      const PortOptions& options, Switchboard& switchboard, MemoryPorts& owner,
      PortCounters& counters);

  std::size_t receive(std::span<RxPacket> burst) override;
  void release(std::span<const RxPacket> burst) override;
  std::size_t borrow(std::span<TxPacket> blanks) override;
  void send(std::span<const TxPacket> filled) override;

  // Only while holding the lock.
  void put(const Endpoint& from, Bytes bytes);
  bool waiting() const { return arrived_ != taken_ && held_ < held_max_; }

 private:
  struct Arrival {
    Endpoint from;
    std::size_t slot = 0;
    std::size_t bytes = 0;
  };
  MemoryDatagrams(const PortOptions& options, Switchboard& switchboard, MemoryPorts& owner,
                  SlotPool rx, SlotPool tx, PortCounters& counters);

  Switchboard* switchboard_;
  MemoryPorts* owner_;
  PortCounters* counters_;
  SlotPool rx_slots_;
  SlotPool tx_slots_;
  std::vector<Arrival> arrivals_;  // a ring: each entry holds one of the slots
  std::size_t arrived_ = 0;
  std::size_t taken_ = 0;
  std::size_t held_ = 0;
  std::size_t held_max_;
};

}  // namespace starling::io
