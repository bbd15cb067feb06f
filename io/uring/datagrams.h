// UringDatagrams: UDP by one multishot receive into a buffer ring, and sends in batches.
//
// The receive stays armed: each datagram costs a completion, no system call. Sends carry
// MSG_DONTWAIT, so the kernel is through with their buffers when submit() returns, and report only
// failures. No zero-copy: at the size of a gossip packet it costs more than it saves (measured).
// Owned by UringPorts; the lane's thread calls it.
#pragma once

#include <sys/socket.h>

#include <array>
#include <vector>

#include "io/bind.h"
#include "io/ports.h"
#include "io/slot_pool.h"
#include "io/uring/buffer_ring.h"

namespace starling::io {

class UringDatagrams {
 public:
  static constexpr std::uint16_t buffer_group = 0;
  static constexpr int registered_file = 0;  // the index of the socket among the ring's files

  static std::expected<std::unique_ptr<UringDatagrams>, std::string> create(
      const PortOptions& options, Ring& ring, int family, PortCounters& counters);

  // As DatagramPort says. The caller takes the ring's completions before.
  std::size_t receive(std::span<RxPacket> burst);
  void release(std::span<const RxPacket> burst);
  std::size_t borrow(std::span<TxPacket> blanks);
  // Submits all; how many. Those that failed are known when the completions were taken.
  std::size_t send(std::span<const TxPacket> filled);

  void arm();
  // True when a receive must be armed again and can be.
  bool wants_arming() const { return !armed_ && held_ + pending() < buffers_.buffers(); }
  void on_received(int result, unsigned flags);
  void on_send_failed() {
    ++sends_failed_;
    count(counters_->datagrams_send_failed);
  }
  std::size_t sends_failed() const { return sends_failed_; }
  bool received() const { return pending() > 0; }
  std::size_t buffers() const { return buffers_.buffers(); }

 private:
  struct Arrival {
    std::uint32_t buffer;
    std::uint32_t bytes;  // of the whole record in the buffer
  };
  // Sends of one submission; their addresses must live until it is made.
  static constexpr std::size_t batch_max = 64;

  UringDatagrams(const PortOptions& options, Ring& ring, int family, BufferRing buffers,
                 SlotPool tx, PortCounters& counters);
  std::size_t pending() const { return arrived_ - taken_; }
  bool unpack(const Arrival& arrival, RxPacket& packet);

  Ring* ring_;
  int family_;
  Zone zone_;
  BufferRing buffers_;
  SlotPool tx_slots_;
  PortCounters* counters_;
  msghdr receive_header_{};
  bool armed_ = false;
  std::size_t held_ = 0;           // buffers handed out and not yet released
  std::vector<Arrival> arrivals_;  // a ring: each entry holds one of the buffers
  std::size_t arrived_ = 0;
  std::size_t taken_ = 0;
  std::size_t sends_failed_ = 0;  // after submission
  std::array<SocketAddress, batch_max> addresses_{};
};

}  // namespace starling::io
