// RingPorts: one node's ports in a RingNetwork.
//
// Received datagrams are views into the very mbufs that their senders filled; who sent them stands
// in the mbuf's private area. Owned by whoever opened it; the lane's thread calls it, wake() any.
#pragma once

#include <memory>
#include <unordered_map>

#include "io/dpdk/ring_board.h"
#include "io/port_options.h"

namespace starling::io {

class RingDatagrams final : public DatagramPort {
 public:
  RingDatagrams(const PortOptions& options, std::shared_ptr<RingBoard> board,
                std::shared_ptr<RingInbox> inbox, const Endpoint& bound, PortCounters& counters)
      : receive_slots_(options.receive_slots),
        send_slots_(options.send_slots),
        room_bytes_(options.packet_room_bytes),
        datagram_bytes_max_(options.datagram_bytes_max),
        board_(std::move(board)),
        inbox_(std::move(inbox)),
        bound_(bound),
        counters_(&counters) {}

  // Bytes that a port keeps in the private area of each mbuf.
  static std::size_t private_bytes();

  std::size_t receive(std::span<RxPacket> burst) override;
  void release(std::span<const RxPacket> burst) override;
  std::size_t borrow(std::span<TxPacket> blanks) override;
  void send(std::span<const TxPacket> filled) override;

  bool waiting() const;

 private:
  struct Hash {
    std::size_t operator()(const Endpoint& endpoint) const;
  };
  // Where somebody's packets go; nullptr when nobody is there.
  RingInbox* inbox_of(const Endpoint& to);

  std::size_t receive_slots_, send_slots_, room_bytes_, datagram_bytes_max_;
  std::shared_ptr<RingBoard> board_;
  std::shared_ptr<RingInbox> inbox_;
  Endpoint bound_;
  PortCounters* counters_;
  std::size_t held_ = 0, lent_ = 0;
  // Those who were written to before: one entry a peer, as many as the network has ports.
  std::unordered_map<Endpoint, std::shared_ptr<RingInbox>, Hash> known_;
};

class RingPorts final : public Ports {
 public:
  // `streams` are ports bound to where datagrams shall come from; their own datagrams stay unused.
  RingPorts(const PortOptions& options, std::shared_ptr<RingBoard> board,
            std::shared_ptr<RingInbox> inbox, std::unique_ptr<Ports> streams);
  ~RingPorts() override;

  DatagramPort& datagrams() override { return datagrams_; }
  StreamPort& streams() override { return streams_->streams(); }
  void wait(Duration at_most) override;
  void wake() override { streams_->wake(); }
  Endpoint bound() const override { return streams_->bound(); }
  std::string_view name() const override { return "rings"; }
  const PortCounters& counters() const override { return counters_; }

 private:
  std::unique_ptr<Ports> streams_;
  std::shared_ptr<RingBoard> board_;
  std::shared_ptr<RingInbox> inbox_;
  PortCounters counters_;
  RingDatagrams datagrams_;
};

}  // namespace starling::io
