// DpdkDatagrams: UDP by a DPDK device, a lane's part of it, in bursts.
//
// Received datagrams are views into mbufs; blanks are mbufs with room for the headers in front,
// which are written once, when a packet is sent. Packets whose next hop is not yet known wait, as
// many as blanks may be lent. Frames of others go the exception path, or are dropped where the
// kernel sees them anyway.
// Owned by DpdkPorts; the lane's thread calls it. Never blocks.
#pragma once

#include <memory>
#include <vector>

#include "io/dpdk/neighbours.h"
#include "io/dpdk/shared_device.h"
#include "io/port_options.h"
#include "io/ports.h"

namespace starling::io {

class DpdkDatagrams final : public DatagramPort {
 public:
  // What all lanes of these options together want of a device.
  static Device::Options device_options(const PortOptions& options);
  // `bound` is where the kernel's streams are bound: datagrams go from and to there. For lane
  // options.lane.
  static std::expected<std::unique_ptr<DpdkDatagrams>, std::string> create(
      const PortOptions& options, const Endpoint& bound, std::shared_ptr<SharedDevice> shared,
      PortCounters& counters);
  // The only lane, on a device of its own.
  static std::expected<std::unique_ptr<DpdkDatagrams>, std::string> create(
      const PortOptions& options, const Endpoint& bound, DeviceNumber device,
      std::optional<DeviceNumber> tap, PortCounters& counters);
  ~DpdkDatagrams() override;

  std::size_t receive(std::span<RxPacket> burst) override;
  void release(std::span<const RxPacket> burst) override;
  std::size_t borrow(std::span<TxPacket> blanks) override;
  void send(std::span<const TxPacket> filled) override;

  // Asks the device and the exception path once; true when anything came, or waits for receive().
  bool gather();
  // Something waits for a neighbour: gather() soon.
  bool searching() const { return waiting_packets_ > 0; }

  // "net_af_packet0 (net_af_packet), the kernel finds neighbours, checksums here"
  std::string text() const;

 private:
  struct Waiting {
    rte_mbuf* mbuf;
    Endpoint to;
    std::size_t bytes;
  };

  DpdkDatagrams(const PortOptions& options, const Endpoint& bound,
                std::shared_ptr<SharedDevice> shared, PortCounters& counters);
  void take(std::span<rte_mbuf*> packets);
  void on_discovery(Instant now, rte_mbuf* mbuf);
  void hear_discoveries();
  const Device& device() const { return shared_->device(); }
  void send_requests();
  void send_waiting(Instant now);
  // Writes the headers and puts the packet into the outgoing burst; false when it cannot be sent.
  void stage(rte_mbuf* mbuf, std::size_t bytes, const Endpoint& to, const NextHop& hop);
  void flush();
  void send_or_wait(Instant now, rte_mbuf* mbuf, std::size_t bytes, const Endpoint& to);
  void drop(rte_mbuf* mbuf);
  bool reachable(const IpAddress& to) const;
  void send_raw(std::size_t bytes, rte_mbuf* mbuf);

  PortCounters* counters_;
  std::size_t receive_slots_, send_slots_, datagram_bytes_max_;
  Endpoint bound_;
  std::shared_ptr<SharedDevice> shared_;
  std::uint32_t lane_;
  LocalAddress local_;
  std::optional<Neighbours> neighbours_;

  std::array<RxPacket, Device::burst_max> arrived_;
  std::size_t arrived_packets_ = 0, arrived_taken_ = 0;
  bool more_ = false;  // the last burst was a full one
  std::size_t held_ = 0, lent_ = 0;
  std::array<rte_mbuf*, Device::burst_max> outgoing_;
  std::size_t outgoing_packets_ = 0;
  std::vector<Waiting> waiting_;
  std::size_t waiting_packets_ = 0;
  Instant waiting_look_{};
};

}  // namespace starling::io
