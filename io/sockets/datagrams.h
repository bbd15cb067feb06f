// SocketDatagrams: UDP by recvmmsg and sendmmsg, a batch per system call. Runs of datagrams to one
// peer leave as one message (segmentation.h).
//
// Owned by SocketPorts; the lane's thread calls it. Never blocks.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include "io/bind.h"
#include "io/ports.h"
#include "io/segmentation.h"
#include "io/slot_pool.h"

namespace starling::io {

class SocketDatagrams final : public DatagramPort {
 public:
  // Measured: beyond 64 datagrams a system call gets no cheaper per datagram.
  static constexpr std::size_t batch_max = 64;

  static std::expected<std::unique_ptr<SocketDatagrams>, std::string> create(
      const PortOptions& options, File socket, int family, PortCounters& counters);

  std::size_t receive(std::span<RxPacket> burst) override;
  void release(std::span<const RxPacket> burst) override;
  std::size_t borrow(std::span<TxPacket> blanks) override;
  void send(std::span<const TxPacket> filled) override;

  int descriptor() const { return socket_.descriptor(); }

 private:
  SocketDatagrams(File socket, int family, Zone zone, SlotPool rx, SlotPool tx,
                  PortCounters& counters);
  // At most batch_max; false when the socket may be empty now.
  bool receive_batch(std::span<RxPacket> burst, std::size_t& received);
  // Hands over the messages that were prepared. A run that the system does not take goes in
  // single datagrams.
  void send_batch();
  void send_alone(const msghdr& run);

  File socket_;
  int family_;
  Zone zone_;
  SlotPool rx_slots_;
  SlotPool tx_slots_;
  PortCounters* counters_;
  std::array<mmsghdr, batch_max> headers_{};
  std::array<iovec, batch_max> vectors_{};
  std::array<SocketAddress, batch_max> addresses_{};
  // Sending: messages of one or more datagrams, and the vectors they point to.
  Segmentation segmentation_;
  std::array<SegmentHeader, batch_max> segment_headers_{};
  std::size_t messages_ = 0;
  std::size_t datagrams_ = 0;
};

}  // namespace starling::io
