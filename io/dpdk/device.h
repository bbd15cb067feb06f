// Device: one Ethernet device of DPDK, taken, configured with queues for the lanes and started.
//
// Owns the device, not its driver: when it goes the device is stopped and may be taken again.
// Opened by any thread; each queue is used by one thread. See shared_device.h for who uses which.
#pragma once

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "io/dpdk/headers.h"
#include "io/dpdk/rtnetlink.h"

namespace starling::io {

// DPDK's number of a device.
enum class DeviceNumber : std::uint16_t {};

class Device {
 public:
  // A driver gives more than this many only in several calls.
  static constexpr std::size_t burst_max = 32;

  struct Options {
    std::size_t packet_room_bytes = 2048;  // behind the room for headers
    std::size_t packets_held_max = 1024;   // by each lane, at a time
    std::uint32_t lanes = 1;               // how many threads want queues of their own
  };

  // The first that nobody has taken. TAP devices are only looked at when `tap` says so.
  static std::optional<DeviceNumber> first_free(bool tap);
  static std::expected<Device, std::string> open(DeviceNumber number, const Options& options);

  Device(Device&& other) noexcept
      : number_(other.number_),
        owner_(std::exchange(other.owner_, no_owner)),
        pool_(other.pool_),
        info_(other.info_),
        mac_(other.mac_),
        mtu_(other.mtu_),
        started_(other.started_),
        receive_queues_(other.receive_queues_),
        send_queues_(other.send_queues_),
        spreads_(other.spreads_),
        offload_(other.offload_),
        verifies_(other.verifies_) {}
  Device& operator=(Device&&) = delete;
  ~Device();

  // At most burst_max.
  std::size_t receive(std::span<rte_mbuf*> packets, std::uint16_t queue = 0) {
    return rte_eth_rx_burst(number_, queue, packets.data(),
                            static_cast<std::uint16_t>(packets.size()));
  }
  // Sends and frees all; how many the device took.
  std::size_t send(std::span<rte_mbuf*> packets, std::uint16_t queue = 0);

  // May be fewer than there are lanes, or more: what a driver puts into a queue must be fetched.
  std::uint32_t receive_queues() const { return receive_queues_; }
  // As many as there are lanes, or one.
  std::uint32_t send_queues() const { return send_queues_; }
  // Whether the device was told to spread what it receives over its queues, by RSS.
  bool spreads() const { return spreads_; }

  rte_mempool* pool() const { return pool_; }
  const MacAddress& mac() const { return mac_; }
  // Takes another device's address: what is sent to one is received by the other.
  void set_mac(const MacAddress& mac);
  std::size_t mtu() const { return mtu_; }
  // The kernel's number of the interface that it sits on or makes; none for others.
  InterfaceIndex interface() const { return InterfaceIndex{info_.if_index}; }
  std::string_view driver() const { return info_.driver_name; }
  std::string name() const;
  Checksums checksums() const { return offload_ ? Checksums::hardware : Checksums::here; }
  // Whether received packets carry the hardware's verdict on their checksums.
  bool verifies() const { return verifies_; }

 private:
  static constexpr std::uint64_t no_owner = RTE_ETH_DEV_NO_OWNER;

  explicit Device(DeviceNumber number) : number_(static_cast<std::uint16_t>(number)) {}
  std::string configure(const Options& options);
  // The result of DPDK.
  int configure_queues(std::uint32_t lanes, rte_eth_conf& conf);

  std::uint16_t number_;
  std::uint64_t owner_ = no_owner;
  rte_mempool* pool_ = nullptr;
  rte_eth_dev_info info_{};
  MacAddress mac_;
  std::size_t mtu_ = 0;
  bool started_ = false;
  std::uint16_t receive_queues_ = 1, send_queues_ = 1;
  bool spreads_ = false;
  bool offload_ = false;
  bool verifies_ = false;
};

}  // namespace starling::io
