#include "tests/io/dpdk/ring_pair.h"

#include <rte_eth_ring.h>
#include <rte_ring.h>

#include <algorithm>
#include <iterator>

#include "io/bind.h"
#include "io/dpdk/eal.h"
#include "io/dpdk/ring_network.h"
#include "io/open.h"
#include "io/sockets/ports.h"

namespace starling::io {

namespace {

constexpr unsigned ring_packets = 2048;

rte_ring* new_ring() {
  static int number = 0;
  rte_ring* const ring = rte_ring_create(("wire" + std::to_string(number++)).c_str(), ring_packets,
                                         SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
  CHECK(ring != nullptr);
  return ring;
}

DeviceNumber device_on(std::vector<rte_ring*> receives, std::vector<rte_ring*> sends) {
  static int number = 0;
  const int device = rte_eth_from_rings(("end" + std::to_string(number++)).c_str(), receives.data(),
                                        static_cast<unsigned>(receives.size()), sends.data(),
                                        static_cast<unsigned>(sends.size()), 0);
  CHECK(device >= 0);
  return DeviceNumber{static_cast<std::uint16_t>(device)};
}

void put_on(rte_ring* ring, Bytes frame) {
  static rte_mempool* const pool =
      rte_pktmbuf_pool_create("test_frames", 1023, 0, 0, 2176, SOCKET_ID_ANY);
  rte_mbuf* const mbuf = rte_pktmbuf_alloc(pool);
  CHECK(mbuf != nullptr);
  std::memcpy(rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(frame.size())), frame.data(),
              frame.size());
  CHECK(rte_ring_enqueue(ring, mbuf) == 0);
}

MacAddress mac_of(DeviceNumber device) {
  rte_ether_addr address{};
  CHECK(rte_eth_macaddr_get(static_cast<std::uint16_t>(device), &address) == 0);
  return mac_at(std::as_bytes(std::span(address.addr_bytes)), 0);
}

// The other end, whose address is the same loopback address, asks for this one.
void introduce(Ports& ports, rte_ring* to_it, DeviceNumber from) {
  const Neighbour other{ports.bound().address, mac_of(from)};
  std::array<std::byte, discovery_bytes_max> room;
  put_on(to_it, Bytes(room).first(write_request(room, other, other.address)));
  std::array<RxPacket, 32> burst;
  while (const std::size_t stale = ports.datagrams().receive(burst)) {
    ports.datagrams().release(std::span(burst).first(stale));
  }
}

}  // namespace

std::string start_test_eal() {
  const auto started = start_eal(test_eal_arguments);
  if (!started) return started.error();
  // Before any other device, so that the pair is what is found free first.
  ring_pair();
  return "";
}

RingPair ring_pair() {
  static const RingPair pair = [] {
    rte_ring* const there = new_ring();
    rte_ring* const back = new_ring();
    return RingPair{device_on({there}, {back}), device_on({back}, {there}), there, back};
  }();
  return pair;
}

WireTap::WireTap(std::size_t receive_queues, std::size_t send_queues) {
  std::generate_n(std::back_inserter(to_device_), receive_queues, new_ring);
  std::generate_n(std::back_inserter(from_device_), send_queues, new_ring);
  device_ = device_on(to_device_, from_device_);
}

std::vector<std::vector<std::byte>> WireTap::sent(std::size_t queue) {
  std::vector<std::vector<std::byte>> frames;
  void* packet = nullptr;
  while (rte_ring_dequeue(from_device_[queue], &packet) == 0) {
    auto* const mbuf = static_cast<rte_mbuf*>(packet);
    const auto* const bytes = rte_pktmbuf_mtod(mbuf, const std::byte*);
    frames.emplace_back(bytes, bytes + rte_pktmbuf_data_len(mbuf));
    rte_pktmbuf_free(mbuf);
  }
  return frames;
}

void WireTap::arrive(Bytes frame, std::size_t queue) {
  put_on(to_device_[queue], frame);
}

std::unique_ptr<Ports> muted_kernel(const PortOptions& options) {
  auto sockets = bind_sockets(options);
  if (!sockets || !mute(sockets->datagrams.descriptor())) return nullptr;
  auto kernel = SocketPorts::create(options, std::move(*sockets));
  return kernel ? std::move(*kernel) : nullptr;
}

PortKind dpdk_kind() {
  return {.name = "dpdk", .open = [](const PortOptions& options) {
            if (std::string problem = start_test_eal(); !problem.empty()) {
              return PortKind::Result{nullptr, std::move(problem)};
            }
            if (options.packet_room_bytes > 2048) {
              return PortKind::Result{nullptr, "a datagram must fit into a packet of the link"};
            }
            const RingPair pair = ring_pair();
            const auto device = Device::first_free(false);
            CHECK(device.has_value());
            auto kernel = muted_kernel(options);
            CHECK(kernel != nullptr);
            auto ports = DpdkPorts::create(options, {.main = *device}, std::move(kernel));
            EXPECT_TRUE(ports) << ports.error();
            if (!ports) return PortKind::Result{nullptr, ports.error()};
            const bool first = *device == pair.a;
            introduce(**ports, first ? pair.to_a : pair.to_b, first ? pair.b : pair.a);
            return PortKind::Result{std::move(*ports), ""};
          }};
}

PortKind rings_kind() {
  return {.name = "rings", .open = [](const PortOptions& options) {
            if (const std::string problem = start_test_eal(); !problem.empty()) {
              return PortKind::Result{nullptr, problem};
            }
            if (options.packet_room_bytes > 2048) {
              return PortKind::Result{nullptr, "a datagram must fit into one of DPDK's packets"};
            }
            // One for all tests: EAL has memory for few.
            static std::optional<RingNetwork> network;
            if (!network) {
              auto made = RingNetwork::create({.ports_max = 8, .waiting_max = 1024, .port = {}},
                                              open_memory_network());
              EXPECT_TRUE(made) << made.error();
              network.emplace(std::move(*made));
            }
            auto opened = network->open(options);
            EXPECT_TRUE(opened) << opened.error();
            return PortKind::Result{std::move(*opened), ""};
          }};
}

}  // namespace starling::io
