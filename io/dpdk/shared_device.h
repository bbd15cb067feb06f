// SharedDevice: one DPDK device for all lanes of a node.
//
// Where the device has a queue pair for each lane, each lane has its own and they do not meet: the
// device spreads what it receives (by RSS where it can be told to), and what belongs to another
// lane goes there by mail, as it does with sockets. Of fewer queues to receive the first lanes have
// one each and the rest hear by mail alone; with fewer queues to send than lanes all send through
// the first lane, by a ring. The first lane also has the exception path. Frames of ARP and
// neighbour discovery, which come to one lane, are told to all. Shared by the lanes' ports; each
// function is called by the thread of the lane that it names.
#pragma once

#include <rte_ring.h>

#include <memory>
#include <vector>

#include "io/dpdk/exception_path.h"

namespace starling::io {

class SharedDevice {
 public:
  // `tap`: the exception path. options.lanes says for how many.
  static std::expected<std::shared_ptr<SharedDevice>, std::string> open(
      DeviceNumber device, std::optional<DeviceNumber> tap, const Device::Options& options);
  ~SharedDevice();
  SharedDevice(const SharedDevice&) = delete;
  SharedDevice& operator=(const SharedDevice&) = delete;

  const Device& device() const { return device_; }
  const std::optional<ExceptionPath>& exception_path() const { return exception_path_; }

  // From the lane's queues; at most Device::burst_max.
  std::size_t receive(std::uint32_t lane, std::span<rte_mbuf*> packets);
  // Sends and frees all; how many the device, or the first lane, took.
  std::size_t send(std::uint32_t lane, std::span<rte_mbuf*> packets);
  // To the kernel, where there is an exception path; takes the packets.
  void to_kernel(std::uint32_t lane, std::span<rte_mbuf*> packets);
  // The first lane's: moves what other lanes and the kernel send; how many frames, at most a few
  // bursts.
  std::size_t pump();

  // Lets the other lanes hear a frame of ARP or neighbour discovery; it stays the caller's.
  void tell(std::uint32_t lane, rte_mbuf* frame);
  // The next such frame for this lane, then the caller's; nullptr when there is none.
  rte_mbuf* heard(std::uint32_t lane);

  // "2 queues each way, a lane each, spread by RSS"; empty for one lane.
  std::string layout() const;

 private:
  // A ring that a lane reads; any lane writes. Frees what is left in it.
  class Frames {
   public:
    Frames() = default;
    Frames(Frames&& other) noexcept : ring_(std::exchange(other.ring_, nullptr)) {}
    Frames& operator=(Frames&&) = delete;
    ~Frames();
    // False: DPDK has no memory for it.
    bool create(unsigned frames);
    // How many there was room for.
    std::size_t put(std::span<rte_mbuf*> frames);
    std::size_t take(std::span<rte_mbuf*> frames);

   private:
    rte_ring* ring_ = nullptr;
  };

  SharedDevice(Device device, std::uint32_t lanes) : device_(std::move(device)), lanes_(lanes) {}
  bool sends_itself(std::uint32_t lane) const {
    return lane == 0 || device_.send_queues() >= lanes_;
  }

  Device device_;
  std::uint32_t lanes_;
  std::optional<ExceptionPath> exception_path_;
  Frames outgoing_, for_kernel_;  // from other lanes to the first
  std::vector<Frames> heard_;     // by lane
};

}  // namespace starling::io
