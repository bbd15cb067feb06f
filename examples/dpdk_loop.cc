// A DPDK application that runs a starling member inside its own packet loop.
//
//   dpdk_loop [EAL ARGUMENT...] [-- SECONDS]
//
// The application owns everything: EAL, the device, the pool, the loop. Starling is a library that
// is handed packets: once per turn of the loop it gets what arrived for its port and blanks to
// fill, and what it filled is sent. No thread, socket or clock of starling's takes part.
//
// To be complete on any machine the device is one end of a wire made of rings, and at the other end
// stands a tiny member that sends pings and counts the acks. It prints one line of JSON and ends
// with 0 if every ping that was received got its ack. An application with a real device drops Wire
// and asks its own tables for MACs.
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "core/engine/engine.h"
#include "io/dpdk/mbuf_burst.h"
#include "wire/messages.h"

namespace starling::example {

namespace {

constexpr std::size_t burst_max = 32;
const Endpoint own{IpAddress::v4(10, 0, 0, 1), 7946};
const Endpoint peer{IpAddress::v4(10, 0, 0, 2), 7946};

// The rest of the cluster: one member that only pings.
class Wire {
 public:
  explicit Wire(rte_mempool* pool) : pool_(pool) {
    to_device_ = rte_ring_create("to_device", 1024, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    from_device_ =
        rte_ring_create("from_device", 1024, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    CHECK(to_device_ != nullptr && from_device_ != nullptr);
  }
  int make_device() {
    return rte_eth_from_rings("wire", &to_device_, 1, &from_device_, 1, SOCKET_ID_ANY);
  }

  void send_pings(const io::MacAddress& device) {
    std::array<TxPacket, burst_max> pings;
    const std::size_t lent = io::lend_mbufs(pool_, pings);
    for (TxPacket& ping : std::span(pings).first(lent)) {
      Writer out(ping.room);
      encode(Ping{.sequence = SequenceNumber{static_cast<std::uint32_t>(++pings_)},
                  .node = "embedded",
                  .source = {.address = peer.address.bytes(), .port = peer.port, .node = "pinger"}},
             out);
      ping.bytes = static_cast<std::uint32_t>(out.written().size());
      rte_mbuf* const mbuf = io::finish_datagram(ping, {.destination_mac = device,
                                                        .source = peer.address,
                                                        .destination = own.address,
                                                        .source_port = peer.port,
                                                        .destination_port = own.port});
      CHECK(rte_ring_enqueue(to_device_, mbuf) == 0);
    }
  }
  void take_acks() {
    void* packet = nullptr;
    while (rte_ring_dequeue(from_device_, &packet) == 0) {
      auto* const mbuf = static_cast<rte_mbuf*>(packet);
      const io::Frame frame = io::parse_frame(io::frame_of(mbuf), io::LocalAddress::from({}, peer));
      if (frame.kind == io::FrameKind::datagram) ++acks_;
      rte_pktmbuf_free(mbuf);
    }
  }
  std::uint64_t pings() const { return pings_; }
  std::uint64_t acks() const { return acks_; }

 private:
  rte_mempool* pool_;
  rte_ring* to_device_ = nullptr;
  rte_ring* from_device_ = nullptr;
  std::uint64_t pings_ = 0, acks_ = 0;
};

Instant now() {
  const double seconds = static_cast<double>(rte_rdtsc()) / static_cast<double>(rte_get_tsc_hz());
  return Instant(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
}

// One device, one queue, one member.
class Application {
 public:
  Application(std::uint16_t device, rte_mempool* pool, Engine engine)
      : device_(device), pool_(pool), engine_(std::move(engine)) {
    rte_eth_conf conf{};
    CHECK(rte_eth_dev_configure(device_, 1, 1, &conf) == 0);
    CHECK(rte_eth_rx_queue_setup(device_, 0, 512, 0, nullptr, pool_) == 0);
    CHECK(rte_eth_tx_queue_setup(device_, 0, 512, 0, nullptr) == 0);
    CHECK(rte_eth_dev_start(device_) == 0);
    rte_ether_addr address{};
    CHECK(rte_eth_macaddr_get(device_, &address) == 0);
    mac_ = io::mac_at(std::as_bytes(std::span(address.addr_bytes)), 0);
    local_ = io::LocalAddress::from(mac_, own);
  }

  const io::MacAddress& mac() const { return mac_; }

  // The loop's body; an application does its own work beside this.
  void turn() {
    receive();
    lent_ += io::lend_mbufs(pool_, std::span(blanks_).subspan(lent_));
    const PollResult turn = engine_.lane().poll(now(), std::span(received_).first(held_),
                                                std::span(blanks_).first(lent_));
    send(turn.filled);
    for (const RxPacket& packet : std::span(received_).first(turn.taken)) {
      rte_pktmbuf_free(io::mbuf_of(packet.cookie));
    }
    std::shift_left(received_.begin(), received_.begin() + static_cast<std::ptrdiff_t>(held_),
                    static_cast<std::ptrdiff_t>(turn.taken));
    held_ -= turn.taken;
    answer_streams();
    engine_.events().drain(100, [](const Event&) {});
  }

 private:
  void receive() {
    std::array<rte_mbuf*, burst_max> mbufs;
    if (held_ + mbufs.size() > received_.size()) return;
    const std::uint16_t got = rte_eth_rx_burst(device_, 0, mbufs.data(), burst_max);
    for (rte_mbuf* const mbuf : std::span(mbufs).first(got)) {
      const io::Frame frame = io::parse_frame(io::frame_of(mbuf), local_);
      if (frame.kind == io::FrameKind::datagram) {
        received_[held_++] = io::received(mbuf, frame);
      } else {
        rte_pktmbuf_free(mbuf);  // here the application's own traffic would go on
      }
    }
  }
  void send(std::size_t filled) {
    std::array<rte_mbuf*, 2 * Lane::blanks_wanted> mbufs;
    for (std::size_t i = 0; i < filled; ++i) {
      mbufs[i] = io::finish_datagram(blanks_[i], {.source_mac = mac_,
                                                  .source = own.address,
                                                  .destination = blanks_[i].to.address,
                                                  .source_port = own.port,
                                                  .destination_port = blanks_[i].to.port});
    }
    const std::uint16_t sent =
        rte_eth_tx_burst(device_, 0, mbufs.data(), static_cast<std::uint16_t>(filled));
    if (sent < filled) {
      rte_pktmbuf_free_bulk(mbufs.data() + sent, static_cast<unsigned>(filled - sent));
    }
    std::shift_left(blanks_.begin(), blanks_.begin() + static_cast<std::ptrdiff_t>(lent_),
                    static_cast<std::ptrdiff_t>(filled));
    lent_ -= filled;
  }
  // An application with a TCP stack carries these out; this one has none and says so.
  void answer_streams() {
    for (const StreamOp& op : engine_.lane().take_stream_ops()) {
      if (op.kind != StreamOp::Kind::connect) continue;
      refused_.push_back({.kind = StreamEvent::Kind::failed,
                          .stream = op.stream,
                          .peer = op.to,
                          .bytes = {},
                          .error_number = ENETUNREACH});
    }
    for (const StreamEvent& event : refused_) engine_.lane().on_stream(now(), event);
    refused_.clear();
  }

  std::uint16_t device_;
  rte_mempool* pool_;
  Engine engine_;
  io::MacAddress mac_;
  io::LocalAddress local_;
  std::array<RxPacket, 2 * burst_max> received_;
  std::size_t held_ = 0;
  std::array<TxPacket, 2 * Lane::blanks_wanted> blanks_;
  std::size_t lent_ = 0;
  std::vector<StreamEvent> refused_;
};

EngineOptions member() {
  EngineOptions options;
  options.name = "embedded";
  options.advertise = own;
  options.capacity.members_max = 1024;
  return options;
}

int run(int argc, char** argv) {
  const int taken = rte_eal_init(argc, argv);
  if (taken < 0) {
    std::fprintf(stderr, "dpdk_loop: EAL does not start with these arguments\n");
    return 77;
  }
  const double seconds = argc > taken + 1 ? std::atof(argv[taken + 1]) : 1.0;
  rte_mempool* const pool =
      rte_pktmbuf_pool_create("packets", 4095, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  CHECK(pool != nullptr);
  Wire wire(pool);
  const int device = wire.make_device();
  CHECK(device >= 0);

  // Zeroed memory of the application's choice; huge pages would do as well.
  const EngineOptions options = member();
  const std::size_t bytes = (Engine::footprint(options) + 63) / 64 * 64;
  void* const memory = std::aligned_alloc(64, bytes);
  CHECK(memory != nullptr);
  std::memset(memory, 0, bytes);
  auto engine = Engine::create(options, {static_cast<std::byte*>(memory), bytes}, now());
  CHECK(engine.has_value());
  {
    Application application(static_cast<std::uint16_t>(device), pool, std::move(*engine));
    const Instant end =
        now() + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
    while (now() < end) {
      wire.send_pings(application.mac());
      application.turn();
      wire.take_acks();
    }
  }
  std::free(memory);
  std::printf("{\"pings\": %llu, \"acks\": %llu, \"seconds\": %.1f}\n",
              static_cast<unsigned long long>(wire.pings()),
              static_cast<unsigned long long>(wire.acks()), seconds);
  return wire.acks() == wire.pings() && wire.acks() > 0 ? 0 : 1;
}

}  // namespace

}  // namespace starling::example

int main(int argc, char** argv) {
  return starling::example::run(argc, argv);
}
