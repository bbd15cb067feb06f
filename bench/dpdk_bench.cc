// What a ping and its ack cost over DPDK: a starling node against a bare echo, over the same wire.
//
//   dpdk_bench [ROUNDS [ring|memif]]        one JSON object on standard output
//
// "ring": both ends of a net_ring pair in one thread, per second of its processor time. "memif":
// two processes, a core each, over net_memif. The echo receives a burst, swaps the addresses in
// place and sends it back: what the wire and the pinging end cost by themselves. The node is
// DpdkDatagrams and a lane, clear and with AES-128-GCM. In each round all of them run one after the
// other; ratios are of one round, figures are medians.
#include <rte_eth_ring.h>
#include <rte_pause.h>
#include <rte_ring.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "bench/bench_node.h"
#include "bench/samples.h"
#include "io/clock.h"
#include "io/dpdk/datagrams.h"
#include "io/dpdk/eal.h"
#include "io/dpdk/mbuf_burst.h"
#include "wire/aead.h"

namespace starling::bench {

namespace {

using io::Device;
using io::DeviceNumber;
using io::MonotonicClock;

constexpr std::size_t burst_max = Device::burst_max;
constexpr Duration round_length = std::chrono::milliseconds(400);
const Endpoint client_at{IpAddress::v4(10, 0, 0, 1), 7946};
const Endpoint server_at{IpAddress::v4(10, 0, 0, 2), 7946};

enum class Kind : std::uint8_t { echo, clear, sealed };
constexpr std::array kinds{Kind::echo, Kind::clear, Kind::sealed};

ByteVector ping(std::uint32_t sequence, bool encrypted) {
  const ByteVector plain = encoded(Ping{
      .sequence = SequenceNumber{sequence},
      .node = "bench",
      .source = {
          .address = client_at.address.bytes(), .port = client_at.port, .node = "node-000001"}});
  if (!encrypted) return plain;
  Keyring keyring;
  CHECK(keyring.add(BenchNode::key()).has_value());
  Cipher cipher(keyring);
  ByteVector out(Cipher::sealed_size(1, plain.size()));
  CHECK(cipher.seal(1, Nonce{}, {}, plain, out) == out.size());
  return out;
}

// The pinging end: finished frames copied into fresh mbufs, answers counted.
class Client {
 public:
  Client(Device& device, Kind kind) : device_(&device) {
    for (std::uint32_t i = 0; i < burst_max; ++i) {
      const ByteVector payload = ping(123'456 + i, kind == Kind::sealed);
      ByteVector frame(io::headers_bytes(server_at.address) + payload.size());
      std::ranges::copy(payload, frame.end() - static_cast<std::ptrdiff_t>(payload.size()));
      frames_.push_back(std::move(frame));
    }
    address_to({});
  }
  // The server's MAC is known from its first answer.
  void address_to(const io::MacAddress& server) {
    for (ByteVector& frame : frames_) {
      io::write_headers(frame,
                        {.source_mac = device_->mac(),
                         .destination_mac = server,
                         .source = client_at.address,
                         .destination = server_at.address,
                         .source_port = client_at.port,
                         .destination_port = server_at.port},
                        io::Checksums::here);
    }
  }
  // Asks for the server's MAC, which tells it ours.
  void introduce() {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(device_->pool());
    CHECK(mbuf != nullptr);
    std::array<std::byte, io::discovery_bytes_max> room;
    const std::size_t bytes =
        io::write_request(room, {client_at.address, device_->mac()}, server_at.address);
    std::memcpy(rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(bytes)), room.data(), bytes);
    device_->send(std::span(&mbuf, 1));
  }
  std::size_t send() {
    std::array<rte_mbuf*, burst_max> mbufs;
    if (rte_pktmbuf_alloc_bulk(device_->pool(), mbufs.data(), burst_max) != 0) return 0;
    for (std::size_t i = 0; i < burst_max; ++i) {
      const ByteVector& frame = frames_[i];
      std::memcpy(rte_pktmbuf_append(mbufs[i], static_cast<std::uint16_t>(frame.size())),
                  frame.data(), frame.size());
    }
    const std::size_t sent = device_->send(mbufs);
    sent_ += sent;
    return sent;
  }
  // How many answers came. Learns the server's MAC from its ARP answer.
  std::size_t take() {
    std::array<rte_mbuf*, burst_max> mbufs;
    const std::size_t got = device_->receive(mbufs);
    std::size_t answers = 0;
    for (rte_mbuf* const mbuf : std::span(mbufs).first(got)) {
      const Bytes frame = io::frame_of(mbuf);
      const bool arp = io::big16(frame, 12) == io::ethertype_arp;
      if (arp && !known_) {
        address_to(io::mac_at(frame, 6));
        known_ = true;
      }
      answers += !arp;
    }
    rte_pktmbuf_free_bulk(mbufs.data(), static_cast<unsigned>(got));
    answered_ += answers;
    return answers;
  }
  bool known() const { return known_; }
  std::size_t sent() const { return sent_; }
  std::size_t answered() const { return answered_; }

 private:
  Device* device_;
  std::vector<ByteVector> frames_;
  bool known_ = false;
  std::size_t sent_ = 0, answered_ = 0;
};

template <std::size_t bytes>
void swap_bytes(std::byte* a, std::byte* b) {
  std::array<std::byte, bytes> kept;
  std::memcpy(kept.data(), a, bytes);
  std::memcpy(a, b, bytes);
  std::memcpy(b, kept.data(), bytes);
}

class Echo {
 public:
  explicit Echo(Device device) : device_(std::move(device)) {}
  void turn() {
    std::array<rte_mbuf*, burst_max> mbufs;
    const std::size_t got = device_.receive(mbufs);
    if (got == 0) return;
    for (rte_mbuf* const mbuf : std::span(mbufs).first(got)) {
      auto* const frame = rte_pktmbuf_mtod(mbuf, std::byte*);
      if (io::big16(io::frame_of(mbuf), 12) == io::ethertype_arp) {
        const Bytes asked = io::frame_of(mbuf);
        std::array<std::byte, io::discovery_bytes_max> room;
        const std::size_t bytes = io::write_answer(room, {server_at.address, device_.mac()},
                                                   {client_at.address, io::mac_at(asked, 6)});
        std::memcpy(frame, room.data(), bytes);
        continue;
      }
      swap_bytes<6>(frame, frame + 6);
      swap_bytes<4>(frame + 26, frame + 30);
      swap_bytes<2>(frame + 34, frame + 36);
    }
    device_.send(std::span(mbufs).first(got));
  }

 private:
  Device device_;
};

// A node on its port, turned as run_lane() does.
class Server {
 public:
  Server(DeviceNumber device, bool encrypted) : node_({.sealed = encrypted}) {
    auto created = io::DpdkDatagrams::create({}, server_at, device, std::nullopt, counters_);
    CHECK(created.has_value());
    port_ = std::move(*created);
  }
  ~Server() {
    port_->release(std::span(rx_).first(held_));
    for (TxPacket& blank : std::span(tx_).first(lent_)) blank.bytes = 0;
    port_->send(std::span(tx_).first(lent_));
  }
  void turn() {
    held_ += port_->receive(std::span(rx_).subspan(held_));
    lent_ += port_->borrow(std::span(tx_).subspan(lent_));
    const PollResult turn = node_.lane().poll(MonotonicClock::now(), std::span(rx_).first(held_),
                                              std::span(tx_).first(lent_));
    port_->send(std::span(tx_).first(turn.filled));
    port_->release(std::span(rx_).first(turn.taken));
    std::shift_left(tx_.begin(), tx_.begin() + static_cast<std::ptrdiff_t>(lent_),
                    static_cast<std::ptrdiff_t>(turn.filled));
    lent_ -= turn.filled;
    std::shift_left(rx_.begin(), rx_.begin() + static_cast<std::ptrdiff_t>(held_),
                    static_cast<std::ptrdiff_t>(turn.taken));
    held_ -= turn.taken;
  }

 private:
  io::PortCounters counters_;
  BenchNode node_;
  std::unique_ptr<io::DpdkDatagrams> port_;
  std::array<RxPacket, 64> rx_;
  std::array<TxPacket, 2 * Lane::blanks_wanted> tx_;
  std::size_t held_ = 0, lent_ = 0;
};

// Calls turn(server) with an echo or a node.
template <class Use>
void with_server(DeviceNumber device, Kind kind, Use&& use) {
  if (kind == Kind::echo) {
    auto opened = Device::open(device, {});
    CHECK(opened.has_value());
    Echo echo(std::move(*opened));
    use(echo);
  } else {
    Server server(device, kind == Kind::sealed);
    use(server);
  }
}

// This thread's processor time, which a busy machine does not distort.
Duration processor_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Which time a rate is per.
enum class Per : std::uint8_t { processor_second, second };

// Ping-acks a second. `between` lets the other end work, where that is in the same thread.
double measure(Client& client, std::size_t window, Per per, const std::function<void()>& between) {
  const auto reading = [&] {
    return per == Per::second ? MonotonicClock::now().time_since_epoch() : processor_time();
  };
  const Instant patience = MonotonicClock::now() + std::chrono::seconds(5);
  for (int turns = 0; !client.known(); ++turns) {
    if (MonotonicClock::now() > patience) return 0;
    if (turns % 1000 == 0) client.introduce();
    between();
    client.take();
  }
  std::size_t answered = 0;
  Instant began = MonotonicClock::now(), now = began, quiet = began;
  Duration from = reading();
  bool warm = false;
  std::size_t under_way = 0;
  while (now - began < round_length) {
    for (int i = 0; i < 64; ++i) {
      if (under_way + burst_max <= window) under_way += client.send();
      between();
      const std::size_t got = client.take();
      under_way -= std::min(under_way, got);
      answered += got;
      if (got > 0) quiet = now;
    }
    now = MonotonicClock::now();
    // What a full ring lost is not waited for.
    if (now - quiet > std::chrono::milliseconds(20)) under_way = 0, quiet = now;
    if (!warm && now - began > round_length / 8) {
      warm = true;
      answered = 0;
      began = now;
      from = reading();
    }
  }
  return static_cast<double>(answered) / std::chrono::duration<double>(reading() - from).count();
}

double ring_round(DeviceNumber client_device, DeviceNumber server_device, Kind kind) {
  auto device = Device::open(client_device, {});
  CHECK(device.has_value());
  double rate = 0;
  with_server(server_device, kind, [&](auto& server) {
    Client client(*device, kind);
    rate = measure(client, burst_max, Per::processor_second, [&] { server.turn(); });
    // Leaves an empty wire.
    for (int i = 0; i < 64; ++i) server.turn(), client.take();
  });
  return rate;
}

void pin(unsigned core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  ::sched_setaffinity(0, sizeof cores, &cores);
}

using Rates = std::array<std::vector<double>, kinds.size()>;

bool ring_part(int rounds, Rates& rates) {
  if (!io::start_eal("")) return false;
  std::array<rte_ring*, 2> rings;
  for (std::size_t i = 0; i < rings.size(); ++i) {
    rings[i] = rte_ring_create(("bench" + std::to_string(i)).c_str(), 1024, SOCKET_ID_ANY,
                               RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (rings[i] == nullptr) return false;
  }
  const int a = rte_eth_from_rings("a", &rings[0], 1, &rings[1], 1, 0);
  const int b = rte_eth_from_rings("b", &rings[1], 1, &rings[0], 1, 0);
  if (a < 0 || b < 0) return false;
  for (int round = 0; round < rounds; ++round) {
    for (const Kind kind : kinds) {
      rates[static_cast<std::size_t>(kind)].push_back(
          ring_round(DeviceNumber{static_cast<std::uint16_t>(a)},
                     DeviceNumber{static_cast<std::uint16_t>(b)}, kind));
    }
  }
  return true;
}

std::string memif(const char* role, const std::string& socket) {
  return "--vdev=net_memif0,role=" + std::string(role) + ",id=0,socket=" + socket +
         ",socket-abstract=no,rsize=10";
}

DeviceNumber only_device() {
  const auto device = Device::first_free(false);
  CHECK(device.has_value());
  return *device;
}

// In a process of its own; serves until it is killed.
[[noreturn]] void memif_server(const std::string& socket, Kind kind) {
  if (!io::start_eal(memif("server", socket))) ::_exit(1);
  pin(1);
  with_server(only_device(), kind, [](auto& server) {
    for (;;) server.turn();
  });
  ::_exit(1);
}

double memif_client(const std::string& socket, Kind kind) {
  // The driver tries to connect once, when the device is started.
  const Instant patience = MonotonicClock::now() + std::chrono::seconds(10);
  while (!std::filesystem::exists(socket)) {
    if (MonotonicClock::now() > patience) return 0;
    ::usleep(1'000);
  }
  if (!io::start_eal(memif("client", socket))) return 0;
  pin(0);
  auto device = Device::open(only_device(), {});
  if (!device) return 0;
  Client client(*device, kind);
  return measure(client, 256, Per::second, [] { rte_pause(); });
}

// Runs `work` in a process of its own and returns what it returns; 0 when it ends otherwise.
double in_a_process(const std::function<double()>& work) {
  std::array<int, 2> ends;
  CHECK(::pipe(ends.data()) == 0);
  const pid_t child = ::fork();
  CHECK(child >= 0);
  if (child == 0) {
    const double result = work();
    ::_exit(::write(ends[1], &result, sizeof result) == sizeof result ? 0 : 1);
  }
  ::close(ends[1]);
  double result = 0;
  if (::read(ends[0], &result, sizeof result) != sizeof result) result = 0;
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return result;
}

void memif_part(int rounds, Rates& rates) {
  std::string folder = "/tmp/dpdk_bench_XXXXXX";
  CHECK(::mkdtemp(folder.data()) != nullptr);
  for (int round = 0; round < rounds; ++round) {
    for (const Kind kind : kinds) {
      const std::string socket = folder + "/memif.sock";
      const pid_t server = ::fork();
      CHECK(server >= 0);
      if (server == 0) memif_server(socket, kind);
      rates[static_cast<std::size_t>(kind)].push_back(
          in_a_process([&] { return memif_client(socket, kind); }));
      ::kill(server, SIGKILL);
      ::waitpid(server, nullptr, 0);
      std::filesystem::remove(socket);
    }
  }
  std::filesystem::remove_all(folder);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

std::string json(const char* name, const Rates& rates) {
  const auto ratios = [&](Kind kind) {
    std::vector<double> all;
    for (std::size_t i = 0; i < rates[0].size(); ++i) {
      if (rates[0][i] > 0) all.push_back(rates[static_cast<std::size_t>(kind)][i] / rates[0][i]);
    }
    return median(std::move(all));
  };
  std::array<char, 512> text;
  std::snprintf(text.data(), text.size(),
                "\"%s\": {\"rounds\": %zu, \"echo_per_second\": %.0f, \"clear_per_second\": %.0f, "
                "\"sealed_per_second\": %.0f, \"clear_to_echo\": %.3f, \"sealed_to_echo\": %.3f}",
                name, rates[0].size(), median(rates[0]), median(rates[1]), median(rates[2]),
                ratios(Kind::clear), ratios(Kind::sealed));
  return text.data();
}

int run(int rounds, std::string_view part) {
  std::string text;
  // First, because it forks, which EAL does not survive.
  if (part != "ring") {
    Rates rates;
    memif_part(rounds, rates);
    text = json("memif", rates);
  }
  if (part != "memif") {
    Rates rates;
    pin(0);
    if (!ring_part(rounds, rates)) {
      std::fprintf(stderr, "dpdk_bench: no EAL, or no rings\n");
      return 77;
    }
    text = json("ring", rates) + (text.empty() ? "" : ", " + text);
  }
  std::printf("{%s}\n", text.c_str());
  return 0;
}

}  // namespace

}  // namespace starling::bench

int main(int argc, char** argv) {
  return starling::bench::run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 5,
                              argc > 2 ? argv[2] : "");
}
