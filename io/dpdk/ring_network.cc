#include "io/dpdk/ring_network.h"

#include <rte_errno.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <atomic>

#include "io/dpdk/eal.h"
#include "io/dpdk/ring_ports.h"

namespace starling::io {

namespace {

std::size_t room_bytes(const RingNetwork::Options& options) {
  return std::max<std::size_t>(options.port.packet_room_bytes, RTE_MBUF_DEFAULT_DATAROOM) +
         RTE_PKTMBUF_HEADROOM;
}

// What can lie in all rings and in the hands of all lanes.
std::size_t packets(const RingNetwork::Options& options) {
  return options.ports_max *
         (options.waiting_max + options.port.receive_slots + options.port.send_slots);
}

std::size_t pool_mib(const RingNetwork::Options& options) {
  constexpr std::size_t pool_keeps = 192;  // about each object: header, padding, place in the ring
  const std::size_t each =
      room_bytes(options) + sizeof(rte_mbuf) + RingDatagrams::private_bytes() + pool_keeps;
  return (packets(options) * each >> 20) + 1;
}

// As rte_pktmbuf_pool_create() does, but no device ever reads these mbufs: they may lie across
// pages, where ordinary pages would hold one each.
rte_mempool* make_pool(const std::string& name, const RingNetwork::Options& options) {
  const std::size_t each = sizeof(rte_mbuf) + RingDatagrams::private_bytes() + room_bytes(options);
  rte_mempool* const pool = rte_mempool_create_empty(
      name.c_str(), static_cast<unsigned>(packets(options)), static_cast<unsigned>(each), 0,
      sizeof(rte_pktmbuf_pool_private), SOCKET_ID_ANY, RTE_MEMPOOL_F_NO_IOVA_CONTIG);
  if (pool == nullptr) return nullptr;
  rte_pktmbuf_pool_private about{};
  about.mbuf_data_room_size = static_cast<std::uint16_t>(room_bytes(options));
  about.mbuf_priv_size = static_cast<std::uint16_t>(RingDatagrams::private_bytes());
  const bool chosen = rte_mempool_set_ops_byname(pool, "ring_mp_mc", nullptr) == 0;
  rte_pktmbuf_pool_init(pool, &about);
  if (!chosen || rte_mempool_populate_default(pool) < 0) {
    rte_mempool_free(pool);
    return nullptr;
  }
  rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
  return pool;
}

}  // namespace

std::string RingNetwork::eal_arguments(const Options& options) {
  // An eighth more for rings and for what does not fit the pages.
  const std::size_t mib = pool_mib(options);
  return "--no-huge -m " + std::to_string(mib + mib / 8 + 32);
}

std::expected<RingNetwork, std::string> RingNetwork::create(const Options& options,
                                                            PortOpener streams) {
  if (!eal_started()) {
    auto started = start_eal(eal_arguments(options));
    if (!started) return std::unexpected(std::move(started.error()));
  }
  static std::atomic<std::uint32_t> made = 0;
  const std::string name =
      "starling_net_" + std::to_string(made.fetch_add(1, std::memory_order_relaxed));
  rte_mempool* const pool = make_pool(name, options);
  if (pool == nullptr) {
    return std::unexpected("DPDK has no " + std::to_string(pool_mib(options)) + " MiB for the " +
                           std::to_string(packets(options)) + " packets of " +
                           std::to_string(options.ports_max) +
                           " ports: " + rte_strerror(rte_errno));
  }
  return RingNetwork(std::make_shared<RingBoard>(pool, options.ports_max, options.waiting_max),
                     room_bytes(options) - RTE_PKTMBUF_HEADROOM, std::move(streams));
}

std::expected<std::unique_ptr<Ports>, std::string> RingNetwork::open(const PortOptions& options) {
  if (options.packet_room_bytes > room_bytes_) {
    return std::unexpected("packets of this network hold " + std::to_string(room_bytes_) +
                           " bytes, " + std::to_string(options.packet_room_bytes) + " are wanted");
  }
  auto streams = streams_(options);
  if (!streams) return std::unexpected(std::move(streams.error()));
  std::shared_ptr<RingInbox> inbox = board_->enter((*streams)->bound());
  if (inbox == nullptr) {
    return std::unexpected("no ring for " + to_text((*streams)->bound()) +
                           ": too many ports, or DPDK has no memory left");
  }
  return std::make_unique<RingPorts>(options, board_, std::move(inbox), std::move(*streams));
}

}  // namespace starling::io
