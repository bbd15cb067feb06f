#include "io/dpdk/device.h"

#include <rte_errno.h>
#include <rte_pause.h>

#include <algorithm>
#include <bit>

#include "io/errno_text.h"

namespace starling::io {

namespace {

constexpr std::uint16_t ring_packets = 1024;
constexpr unsigned cache_packets = 256;
constexpr std::uint16_t queues_fixed_max = 32;

bool is_tap(std::uint16_t number) {
  rte_eth_dev_info info{};
  return rte_eth_dev_info_get(number, &info) == 0 &&
         std::string_view(info.driver_name) == "net_tap";
}

// Pools are never freed: packets of ours may lie in the rings of others, who give them back later.
// A device that is taken again finds its pool by name.
rte_mempool* pool_of(std::uint16_t device, const Device::Options& options, std::size_t queues,
                     std::size_t room_bytes) {
  // All of the device's rings full, as many at each lane, and a cache each and one more: DPDK likes
  // 2^n - 1.
  const std::size_t wanted = queues * ring_packets + options.lanes * options.packets_held_max +
                             (options.lanes + 1) * cache_packets + Device::burst_max;
  const auto packets = static_cast<unsigned>(std::bit_ceil(wanted) - 1);
  const std::string name = "starling_" + std::to_string(device) + "_" + std::to_string(room_bytes) +
                           "_" + std::to_string(packets);
  if (rte_mempool* const known = rte_mempool_lookup(name.c_str())) return known;
  return rte_pktmbuf_pool_create(name.c_str(), packets, cache_packets, 0,
                                 static_cast<std::uint16_t>(room_bytes), SOCKET_ID_ANY);
}

}  // namespace

std::optional<DeviceNumber> Device::first_free(bool tap) {
  const auto next = [](unsigned from) {
    return rte_eth_find_next_owned_by(static_cast<std::uint16_t>(from), RTE_ETH_DEV_NO_OWNER);
  };
  for (std::uint64_t number = next(0); number < RTE_MAX_ETHPORTS;
       number = next(static_cast<unsigned>(number) + 1)) {
    const auto candidate = static_cast<std::uint16_t>(number);
    if (is_tap(candidate) == tap) return DeviceNumber{candidate};
  }
  return std::nullopt;
}

std::expected<Device, std::string> Device::open(DeviceNumber number, const Options& options) {
  Device device(number);
  const std::string problem = device.configure(options);
  if (problem.empty()) return device;
  return std::unexpected("DPDK device " + device.name() + ": " + problem);
}

std::string Device::configure(const Options& options) {
  const auto failed = [](const std::string& what, int result) {
    return what + ": " + errno_text(result < 0 ? -result : rte_errno);
  };
  if (const int result = rte_eth_dev_info_get(number_, &info_); result < 0) {
    return failed("ask for it", result);
  }
  rte_eth_dev_owner owner{};
  rte_eth_dev_owner_new(&owner.id);
  std::snprintf(owner.name, sizeof owner.name, "starling");
  if (const int result = rte_eth_dev_owner_set(number_, &owner); result < 0) {
    return failed("take it", result);
  }
  owner_ = owner.id;
  // Drivers want to fill a frame of their own choice, 2 KiB by default.
  const std::size_t room_bytes =
      RTE_PKTMBUF_HEADROOM +
      std::max<std::size_t>((options.packet_room_bytes + 63) / 64 * 64, RTE_MBUF_DEFAULT_DATAROOM);
  if (room_bytes > UINT16_MAX) {
    return "packets of " + std::to_string(options.packet_room_bytes) + " bytes do not fit into its";
  }
  rte_eth_conf conf{};
  constexpr std::uint64_t tx_wanted = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
  constexpr std::uint64_t rx_wanted = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
  offload_ = (info_.tx_offload_capa & tx_wanted) == tx_wanted;
  // What the kernel of this machine sends over a virtual cable has no finished checksum.
  verifies_ = info_.if_index == 0 && (info_.rx_offload_capa & rx_wanted) == rx_wanted;
  if (offload_) conf.txmode.offloads = tx_wanted;
  if (verifies_) conf.rxmode.offloads = rx_wanted;
  if (const int result = configure_queues(options.lanes, conf); result < 0) {
    return failed("configure it", result);
  }
  pool_ = pool_of(number_, options, std::size_t{receive_queues_} + send_queues_, room_bytes);
  if (pool_ == nullptr) return failed("allocate its packets", 0);
  std::uint16_t rx_ring = ring_packets, tx_ring = ring_packets;
  rte_eth_dev_adjust_nb_rx_tx_desc(number_, &rx_ring, &tx_ring);
  const auto node = static_cast<unsigned>(std::max(rte_eth_dev_socket_id(number_), 0));
  for (std::uint16_t queue = 0; queue < receive_queues_; ++queue) {
    const int result = rte_eth_rx_queue_setup(number_, queue, rx_ring, node, nullptr, pool_);
    if (result < 0) return failed("set up receive queue " + std::to_string(queue), result);
  }
  for (std::uint16_t queue = 0; queue < send_queues_; ++queue) {
    const int result = rte_eth_tx_queue_setup(number_, queue, tx_ring, node, nullptr);
    if (result < 0) return failed("set up send queue " + std::to_string(queue), result);
  }
  const int result = rte_eth_dev_start(number_);
  if (result < 0) return failed("start it", result);
  started_ = true;

  rte_ether_addr mac{};
  rte_eth_macaddr_get(number_, &mac);
  std::memcpy(mac_.octets.data(), mac.addr_bytes, mac_.octets.size());
  std::uint16_t mtu = 0;
  mtu_ = rte_eth_dev_get_mtu(number_, &mtu) == 0 && mtu > 0 ? mtu : 1500;
  return "";
}

int Device::configure_queues(std::uint32_t lanes, rte_eth_conf& conf) {
  constexpr std::uint64_t fields = RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP;
  const std::uint64_t spread_by = info_.flow_type_rss_offloads & fields;
  const auto most = [](std::uint32_t wanted, std::uint16_t there) {
    return static_cast<std::uint16_t>(
        std::clamp<std::uint32_t>(wanted, 1, std::max<std::uint16_t>(there, 1)));
  };
  // A driver that spreads by rules of its own, over the queues it was made with, fills all of them.
  const bool fixed = spread_by == 0 && info_.max_rx_queues <= queues_fixed_max;
  receive_queues_ = most(fixed ? info_.max_rx_queues : lanes, info_.max_rx_queues);
  send_queues_ = info_.max_tx_queues >= lanes ? static_cast<std::uint16_t>(lanes) : 1;
  spreads_ = spread_by != 0 && receive_queues_ > 1;
  if (spreads_) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = spread_by;
  }
  const int result = rte_eth_dev_configure(number_, receive_queues_, send_queues_, &conf);
  if (result >= 0 || (receive_queues_ == 1 && send_queues_ == 1)) return result;
  // What it says it can do and what it does are two things with some drivers.
  conf.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
  conf.rx_adv_conf = {};
  receive_queues_ = send_queues_ = 1;
  spreads_ = false;
  return rte_eth_dev_configure(number_, 1, 1, &conf);
}

Device::~Device() {
  if (owner_ == no_owner) return;
  if (started_) rte_eth_dev_stop(number_);
  rte_eth_dev_owner_unset(number_, owner_);
}

std::string Device::name() const {
  std::array<char, RTE_ETH_NAME_MAX_LEN> name{};
  if (rte_eth_dev_get_name_by_port(number_, name.data()) != 0) return std::to_string(number_);
  return name.data();
}

void Device::set_mac(const MacAddress& mac) {
  rte_ether_addr address{};
  std::memcpy(address.addr_bytes, mac.octets.data(), mac.octets.size());
  if (rte_eth_dev_default_mac_addr_set(number_, &address) == 0) mac_ = mac;
}

std::size_t Device::send(std::span<rte_mbuf*> packets, std::uint16_t queue) {
  // A full ring empties within microseconds on hardware; a device that does not take anything in
  // some tries has lost its link.
  constexpr int tries_max = 16;
  std::size_t sent = 0;
  for (int tries = 0; sent < packets.size() && tries < tries_max; ++tries) {
    const std::uint16_t took = rte_eth_tx_burst(number_, queue, packets.data() + sent,
                                                static_cast<std::uint16_t>(packets.size() - sent));
    if (took == 0) rte_pause();
    sent += took;
  }
  if (sent < packets.size()) {
    rte_pktmbuf_free_bulk(packets.data() + sent, static_cast<unsigned>(packets.size() - sent));
  }
  return sent;
}

}  // namespace starling::io
