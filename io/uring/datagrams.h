// UringDatagrams: UDP by one multishot receive into a buffer ring, and sends in batches.
//
// The receive stays armed: each datagram costs a completion, no system call. Sends carry
// MSG_DONTWAIT, so the kernel is through with their buffers when submit() returns, and report only
// failures. Runs of datagrams to one peer leave as one send (segmentation.h). No zero-copy: at the
// size of a gossip packet it costs more than it saves (measured).
// Owned by UringPorts; the lane's thread calls it.
#pragma once

#include <sys/socket.h>

#include <array>
#include <vector>

#include "io/bind.h"
#include "io/ports.h"
#include "io/segmentation.h"
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
  // Submits all. What failed is known when the completions were taken; then comes finish_send(),
  // with the same packets, which submits again what must go one by one and gives the buffers back.
  // True when it submitted something.
  void send(std::span<const TxPacket> filled);
  bool finish_send(std::span<const TxPacket> filled);
  // Counts what was sent since the last call, when all completions were taken.
  void count_sent();

  void arm();
  // True when a receive must be armed again and can be.
  bool wants_arming() const { return !armed_ && held_ + pending() < buffers_.buffers(); }
  void on_received(int result, unsigned flags);
  void on_send_failed() { ++failed_; }
  void on_run_failed(RingTag tag, int result);
  bool received() const { return pending() > 0; }
  std::size_t buffers() const { return buffers_.buffers(); }

 private:
  struct Arrival {
    std::uint32_t buffer;
    std::uint32_t bytes;  // of the whole record in the buffer
  };
  // Sends of one submission; what they point to must live until it is made.
  static constexpr std::size_t batch_max = 64;
  static constexpr std::size_t vectors_max = 4 * batch_max;
  struct Run {
    std::uint32_t first;  // the index among the packets of this send()
    std::uint32_t packets;
    bool refused;
  };

  UringDatagrams(const PortOptions& options, Ring& ring, int family, BufferRing buffers,
                 SlotPool tx, PortCounters& counters);
  std::size_t pending() const { return arrived_ - taken_; }
  bool unpack(const Arrival& arrival, RxPacket& packet);
  void prepare_send(const TxPacket& packet);
  void prepare_run(std::span<const TxPacket> packets, std::size_t first);
  void submit_batch();

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
  // Of the send() under way, in datagrams.
  std::uint32_t send_serial_ = 0;
  std::size_t submitted_ = 0;
  std::size_t failed_ = 0;
  std::vector<Run> runs_;
  bool any_refused_ = false;
  int refusal_ = 0;
  Segmentation segmentation_;
  // Of the submission that is being prepared.
  std::size_t in_batch_ = 0;
  std::size_t vectors_used_ = 0;
  std::array<SocketAddress, batch_max> addresses_{};
  std::array<msghdr, batch_max> messages_{};
  std::array<SegmentHeader, batch_max> segment_headers_{};
  std::array<iovec, vectors_max> vectors_{};
};

}  // namespace starling::io
