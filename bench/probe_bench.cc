// How many members one core can watch: probes a second of one engine with a table of a million
// others, how long it takes to ask all of them once, and how soon killed ones are suspected and
// declared dead.
//
//   probe_bench [--port memory|uring|sockets] [--members N] [--hosted N] [--kills N] [--seconds S]
//
// An engine with H hosted members probes H members an interval of a second. All others answer from
// one place. `memory`: a second thread behind a pair of rings, and time is the bench's own: it
// advances by the spacing of the probes, whatever the machine does, so that what is measured is the
// processor time that a second of so many probes takes. `uring` and `sockets`: a second process
// with one UDP socket that stands for all members, each at an address of its own in 127.64.0.0/12
// (it answers from the address that was asked, IP_PKTINFO), by the clock. Fallback pings over
// streams are off: a killed member is one that does not answer. Prints one JSON object.
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "bench/samples.h"
#include "core/base/rng.h"
#include "core/engine/engine.h"
#include "io/mapped_memory.h"
#include "io/open.h"
#include "io/thread/run_lane.h"
#include "wire/base/check.h"
#include "wire/compound.h"
#include "wire/envelope.h"

namespace starling::bench {

namespace {

using namespace std::chrono_literals;
using io::MonotonicClock;

constexpr std::uint32_t members_limit = 1u << 20;
constexpr std::uint16_t member_port = 7946;
const Endpoint own{IpAddress::v4(127, 100, 0, 1), 7947};

struct Wanted {
  std::string port = "memory";
  std::uint32_t members = 1'000'000;
  std::uint32_t hosted = 100'000;
  std::uint32_t kills = 100;
  double seconds = 50;  // at the most, after the first sweep
};

// What the two sides share, in memory that survives a fork.
struct Shared {
  std::atomic<std::uint64_t> pings{0};
  std::atomic<std::uint32_t> asked{0};  // different members so far
  std::atomic<bool> stop{false};
  std::array<std::atomic<std::uint8_t>, members_limit> seen{};
  std::array<std::atomic<std::uint8_t>, members_limit> killed{};
};

IpAddress address_of(std::uint32_t number) {
  return IpAddress::v4(127, static_cast<std::uint8_t>(64 + (number >> 16)),
                       static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number));
}
std::uint32_t number_of(Bytes address) {
  CHECK(address.size() == 4);
  return (static_cast<std::uint32_t>(address[1]) - 64) << 16 |
         static_cast<std::uint32_t>(address[2]) << 8 | static_cast<std::uint32_t>(address[3]);
}

// All members but the engine's own: one at a time.
class Answerer {
 public:
  explicit Answerer(Shared& shared) : shared_(shared), workspace_(Peeler::workspace_bytes({})) {}

  // What member `number` says to this datagram, into `room`; 0 bytes: nothing.
  std::size_t answer(std::uint32_t number, Bytes datagram, MutableBytes room) {
    if (number >= members_limit || dead(number)) {
      note(number);
      return 0;
    }
    Peeler peeler({}, workspace_);
    const Peeler::Result peeled = peeler.peel(datagram, {.compress = false}, cipher_, parts_);
    Writer out(room);
    for (const Bytes part : std::span(parts_).first(peeled.parts)) {
      Scratch scratch;
      const auto type = static_cast<MessageType>(part.front());
      if (type == MessageType::ping) {
        const auto ping = decode_ping(part.subspan(1), scratch);
        CHECK(ping.has_value());
        note(number);
        encode(Ack{.sequence = ping->sequence, .payload = {}}, out);
        break;
      }
      if (type == MessageType::indirect_ping) {
        // The target's answer, without a further datagram.
        const auto ping = decode_indirect_ping(part.subspan(1), scratch);
        CHECK(ping.has_value());
        if (!dead(number_of(ping->target))) {
          encode(Ack{.sequence = ping->sequence, .payload = {}}, out);
        } else if (ping->nack) {
          encode(Nack{.sequence = ping->sequence}, out);
        }
        break;
      }
    }
    return out.size();
  }

 private:
  // One writer, so plain loads and stores do.
  void note(std::uint32_t number) {
    shared_.pings.store(shared_.pings.load(std::memory_order_relaxed) + 1,
                        std::memory_order_relaxed);
    if (number >= members_limit || shared_.seen[number].load(std::memory_order_relaxed)) return;
    shared_.seen[number].store(1, std::memory_order_relaxed);
    shared_.asked.store(shared_.asked.load(std::memory_order_relaxed) + 1,
                        std::memory_order_relaxed);
  }
  bool dead(std::uint32_t number) const {
    return shared_.killed[number].load(std::memory_order_relaxed) != 0;
  }

  Shared& shared_;
  std::vector<std::byte> workspace_;
  std::array<Bytes, 64> parts_;
  Cipher cipher_{Keyring{}};
};

EngineOptions options_of(const Wanted& wanted) {
  EngineOptions options;
  options.name = "watcher";
  options.advertise = own;
  options.seed = 1;
  options.compress = false;
  options.traces = trace_bit(TraceKind::suspect_started);
  options.swim.push_pull_interval = Duration::zero();
  options.swim.stream_pings = false;
  options.serf.coordinates = false;
  options.capacity.members_max = wanted.members + wanted.hosted + 1;
  options.capacity.hosted_max = wanted.hosted;
  options.capacity.event_ring_bytes = 1u << 26;
  // News of a million joins would ride on every ping for minutes; a cluster that is watched has
  // none.
  options.capacity.queue_slab_bytes = 1u << 20;
  for (std::uint32_t i = 1; i < wanted.hosted; ++i) {
    std::array<char, 32> name;
    const int length = std::snprintf(name.data(), name.size(), "watcher-%u", i);
    options.hosted.push_back({std::string(name.data(), static_cast<std::size_t>(length)), own, {}});
  }
  return options;
}

double thread_seconds() {
  timespec now{};
  CHECK(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double seconds_of(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

double percentile(std::vector<double>& values, double part) {
  if (values.empty()) return -1;
  std::ranges::sort(values);
  return values[std::min(values.size() - 1,
                         static_cast<std::size_t>(part * static_cast<double>(values.size())))];
}

// The engine, its table, and what is heard from it.
class Watcher {
 public:
  Watcher(const Wanted& wanted, Shared& shared)
      : wanted_(wanted), shared_(shared), options_(options_of(wanted)) {
    auto memory = io::MappedMemory::map({.bytes = Engine::footprint(options_), .huge_pages = true});
    CHECK(memory.has_value());
    memory_ = std::move(*memory);
    auto engine = Engine::create(options_, memory_.bytes(), MonotonicClock::now());
    if (!engine) std::fprintf(stderr, "probe_bench: %s\n", engine.error().c_str());
    CHECK(engine.has_value());
    engine_.emplace(std::move(*engine));
    blanks_.resize(4 * Lane::blanks_wanted);
    rooms_.resize(blanks_.size() * options_.packet_room_bytes());
    for (std::size_t i = 0; i < blanks_.size(); ++i) {
      blanks_[i].room = MutableBytes(rooms_).subspan(i * options_.packet_room_bytes(),
                                                     options_.packet_room_bytes());
    }
  }

  // Tells the engine of all members, at one instant: no timer runs meanwhile.
  void fill(Instant now) {
    std::vector<RxPacket> rx;
    std::vector<ByteVector> packets;
    for (std::uint32_t number = 0; number < wanted_.members;) {
      packets.clear();
      rx.clear();
      for (int packet = 0; packet < 60 && number < wanted_.members; ++packet) {
        std::array<std::byte, 8'192> room;
        CompoundBuilder builder(room);
        for (int i = 0; i < 20 && number < wanted_.members; ++i, ++number) {
          const Sample sample(number);
          Alive alive = sample.alive(1);
          const IpAddress address = address_of(number);
          alive.address = address.bytes();
          CHECK(builder.add(encoded(alive)));
        }
        const Bytes bytes = builder.finish();
        packets.emplace_back(bytes.begin(), bytes.end());
      }
      for (const ByteVector& packet : packets) {
        rx.push_back({.from = {address_of(0), member_port}, .bytes = packet, .cookie = 0});
      }
      poll(now, rx);
      drain(now);
    }
  }

  PollResult poll(Instant now, std::span<const RxPacket> rx) {
    return engine_->lane().poll(now, rx, blanks_);
  }
  void drain(Instant now) {
    engine_->events().drain(1'000'000, [&](const Event& event) {
      const bool suspected =
          event.kind == Event::Kind::trace && event.trace == TraceKind::suspect_started;
      const bool failed =
          event.kind == Event::Kind::member && event.change == MemberEventKind::failed;
      if (!suspected && !failed) return;
      const auto victim = victims_.find(std::string(event.name));
      if (victim == victims_.end()) {
        ++false_alarms_;
        return;
      }
      if (!victim->second)
        (failed ? dead_after_ : suspected_after_).push_back(seconds_of(now - killed_at_));
      if (failed) victim->second = true;
    });
  }

  void kill_some(Instant now) {
    killed_at_ = now;
    Rng rng(11);
    while (victims_.size() < wanted_.kills) {
      const auto number = static_cast<std::uint32_t>(rng.below(wanted_.members));
      victims_.emplace(std::string(Sample(number).name()), false);
      shared_.killed[number].store(1, std::memory_order_relaxed);
    }
  }
  bool all_found() const { return dead_after_.size() >= victims_.size(); }
  bool all_suspected() const { return suspected_after_.size() >= victims_.size(); }
  Lane& lane() { return engine_->lane(); }
  std::span<TxPacket> blanks() { return blanks_; }

  void print_detection() {
    std::printf(
        ",\n \"killed\": %zu, \"suspected\": %zu, \"suspected_after_s\": {\"p50\": %.2f, \"last\": "
        "%.2f},\n \"declared_dead\": %zu, \"dead_after_s\": {\"p50\": %.2f, \"last\": %.2f}, "
        "\"false_alarms\": %zu",
        victims_.size(), suspected_after_.size(), percentile(suspected_after_, 0.5),
        percentile(suspected_after_, 1), dead_after_.size(), percentile(dead_after_, 0.5),
        percentile(dead_after_, 1), false_alarms_);
  }

 private:
  const Wanted& wanted_;
  Shared& shared_;
  EngineOptions options_;
  io::MappedMemory memory_;
  std::optional<Engine> engine_;
  std::vector<std::byte> rooms_;
  std::vector<TxPacket> blanks_;
  std::unordered_map<std::string, bool> victims_;  // whether declared dead
  Instant killed_at_{};
  std::vector<double> suspected_after_, dead_after_;
  std::size_t false_alarms_ = 0;
};

// ---- through rings ------------------------------------------------------------------------------

struct RingLink {
  explicit RingLink(Arena& arena)
      : asked(make_ring(arena, 1u << 22)), answered(make_ring(arena, 1u << 22)) {}
  std::pair<RingWriter, RingReader> asked, answered;
};

// Every datagram gets one record back; an empty answer is one byte long.
void answer_through(RingLink& link, Shared& shared) {
  Answerer answerer(shared);
  while (!shared.stop.load(std::memory_order_relaxed)) {
    const std::size_t taken = link.asked.second.drain(64, [&](Bytes record) {
      std::uint32_t number = 0;
      std::memcpy(&number, record.data(), sizeof number);
      MutableBytes room = link.answered.first.claim(256);
      while (room.empty()) {
        std::this_thread::yield();
        if (shared.stop.load(std::memory_order_relaxed)) return;
        room = link.answered.first.claim(256);
      }
      std::memcpy(room.data(), &number, sizeof number);
      const std::size_t bytes =
          answerer.answer(number, record.subspan(sizeof number), room.subspan(sizeof number));
      link.answered.first.commit(sizeof number + bytes);
    });
    if (taken == 0) std::this_thread::yield();
  }
}

// Steps of about sixty probes: a lane's usual burst, and less than what counts as being overrun.
int run_memory(const Wanted& wanted, Shared& shared) {
  io::MappedMemory memory =
      std::move(*io::MappedMemory::map({.bytes = 2 * ring_footprint(1u << 22) + 4096}));
  Arena arena(memory.bytes());
  RingLink link(arena);
  Watcher watcher(wanted, shared);
  Instant now = MonotonicClock::now();
  watcher.fill(now);
  std::thread other([&] { answer_through(link, shared); });

  constexpr std::size_t burst = 60;
  const Duration step =
      Duration(1'000'000'000LL * static_cast<std::int64_t>(burst)) / wanted.hosted;
  double engine_seconds = 0;
  std::uint64_t under_way = 0, sent = 0;
  std::vector<ByteVector> answers(burst);
  std::vector<RxPacket> rx;
  const auto turn = [&] {
    now += step;
    // What was sent two steps ago has been answered by now, as on a fast network.
    while (under_way > 2 * burst && link.answered.second.empty()) std::this_thread::yield();
    do {
      rx.clear();
      std::size_t used = 0;
      under_way -= link.answered.second.drain(burst, [&](Bytes record) {
        if (record.size() == sizeof(std::uint32_t)) return;
        std::uint32_t number = 0;
        std::memcpy(&number, record.data(), sizeof number);
        ByteVector& answer = answers[used++];
        answer.assign(record.begin() + sizeof number, record.end());
        rx.push_back({.from = {address_of(number), member_port}, .bytes = answer, .cookie = 0});
      });
      const double began = thread_seconds();
      const PollResult result = watcher.poll(now, rx);
      engine_seconds += thread_seconds() - began;
      CHECK(result.taken == rx.size());
      for (const TxPacket& packet : watcher.blanks().first(result.filled)) {
        const std::uint32_t number = number_of(packet.to.address.bytes());
        const MutableBytes room = link.asked.first.claim(sizeof number + packet.bytes);
        CHECK(!room.empty());
        std::memcpy(room.data(), &number, sizeof number);
        std::memcpy(room.data() + sizeof number, packet.room.data(), packet.bytes);
        link.asked.first.commit();
        ++under_way;
        ++sent;
      }
      watcher.drain(now);
    } while (under_way > 4 * burst);
  };
  // The sweep begins with the first probe. The first two intervals let the queue of news run dry.
  const Instant began = now;
  while (now - began < 2s) turn();
  const Instant warm = now;
  const double engine_before = engine_seconds;
  const std::uint64_t sent_before = sent;
  const Instant clock_before = MonotonicClock::now();
  while (shared.asked.load(std::memory_order_relaxed) < wanted.members && now - began < 300s) {
    turn();
  }
  const double seconds = seconds_of(now - warm);
  const double cpu = engine_seconds - engine_before;
  const auto probes = static_cast<double>(sent - sent_before);
  std::printf(
      "{\"port\": \"memory\", \"members\": %u, \"hosted\": %u,\n \"probes_a_second\": %.0f, "
      "\"engine_seconds_a_second\": %.3f, \"engine_ns_a_probe\": %.0f, "
      "\"probes_a_second_of_a_core\": %.0f, "
      "\"by_the_clock\": %.0f,\n \"sweep_s\": %.2f, \"asked\": %u",
      wanted.members, wanted.hosted, probes / seconds, cpu / seconds, cpu * 1e9 / probes,
      probes / cpu, probes / seconds_of(MonotonicClock::now() - clock_before),
      seconds_of(now - began), shared.asked.load());
  watcher.kill_some(now);
  const Instant killed_at = now;
  while (!watcher.all_found() && seconds_of(now - killed_at) < wanted.seconds) turn();
  watcher.print_detection();
  std::printf("}\n");
  shared.stop.store(true);
  other.join();
  return 0;
}

// ---- through the kernel -------------------------------------------------------------------------

// One socket for all members, in a process of its own.
void answer_socket(Shared& shared) {
  constexpr std::size_t batch = 64;
  const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
  CHECK(socket >= 0);
  const int on = 1, buffer = 8 << 20;
  ::setsockopt(socket, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(member_port);
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) {
    std::perror("probe_bench: 0.0.0.0:7946 (run it in a network namespace: unshare -n)");
    ::_exit(1);
  }
  constexpr std::size_t control_bytes = CMSG_SPACE(sizeof(in_pktinfo));
  std::array<std::array<std::byte, 2048>, batch> in_rooms;
  std::array<std::array<std::byte, 256>, batch> out_rooms;
  struct alignas(cmsghdr) Control {
    std::array<std::byte, control_bytes> bytes;
  };
  std::array<Control, batch> controls{};
  std::array<sockaddr_in, batch> peers{};
  std::array<iovec, batch> in_vectors{}, out_vectors{};
  std::array<mmsghdr, batch> in{}, out{};
  Answerer answerer(shared);
  const pid_t parent = ::getppid();
  while (::getppid() == parent) {
    for (std::size_t i = 0; i < batch; ++i) {
      in_vectors[i] = {in_rooms[i].data(), in_rooms[i].size()};
      in[i].msg_hdr = {.msg_name = &peers[i],
                       .msg_namelen = sizeof peers[i],
                       .msg_iov = &in_vectors[i],
                       .msg_iovlen = 1,
                       .msg_control = controls[i].bytes.data(),
                       .msg_controllen = control_bytes,
                       .msg_flags = 0};
    }
    const int got = ::recvmmsg(socket, in.data(), batch, MSG_WAITFORONE, nullptr);
    if (got <= 0) continue;
    unsigned answers = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
      cmsghdr* const control = CMSG_FIRSTHDR(&in[i].msg_hdr);
      if (control == nullptr || control->cmsg_type != IP_PKTINFO) continue;
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(control), sizeof info);
      std::array<std::byte, 4> asked;
      std::memcpy(asked.data(), &info.ipi_addr, asked.size());
      const std::size_t bytes =
          answerer.answer(number_of(asked), Bytes(in_rooms[i]).first(in[i].msg_len), out_rooms[i]);
      if (bytes == 0) continue;
      // From the address that was asked.
      info = {.ipi_ifindex = 0, .ipi_spec_dst = info.ipi_addr, .ipi_addr = {}};
      std::memcpy(CMSG_DATA(control), &info, sizeof info);
      out_vectors[answers] = {out_rooms[i].data(), bytes};
      out[answers].msg_hdr = in[i].msg_hdr;
      out[answers].msg_hdr.msg_iov = &out_vectors[answers];
      out[answers].msg_hdr.msg_controllen = control_bytes;
      ++answers;
    }
    for (unsigned done = 0; done < answers;) {
      const int sent = ::sendmmsg(socket, out.data() + done, answers - done, 0);
      if (sent <= 0) break;
      done += static_cast<unsigned>(sent);
    }
  }
  ::_exit(0);
}

int run_sockets(const Wanted& wanted, Shared& shared) {
  const pid_t child = ::fork();
  CHECK(child >= 0);
  if (child == 0) {
    ::alarm(300);
    answer_socket(shared);
  }
  Watcher watcher(wanted, shared);
  auto opened = io::open_ports(
      {.bind = own,
       .choice = wanted.port == "uring" ? io::PortChoice::uring : io::PortChoice::sockets});
  if (!opened) {
    std::fprintf(stderr, "probe_bench: %s\n", opened.error().c_str());
    ::kill(child, SIGKILL);
    return 1;
  }
  watcher.fill(MonotonicClock::now());
  std::atomic<bool> stop = false;
  struct Lap {
    Instant at;
    std::uint64_t pings;
    double cpu;
  };
  // Everything below runs in the lane's thread, after its turns.
  const auto lap = [&] {
    return Lap{MonotonicClock::now(), shared.pings.load(std::memory_order_relaxed),
               thread_seconds()};
  };
  const Lap began = lap();
  std::optional<Lap> warm, swept;
  std::thread ticker([&] {
    while (!stop.load()) {
      ::usleep(20'000);
      opened->ports->wake();
    }
  });
  // Wrapped, so that the laps are looked at although nothing is reported.
  struct Driven {
    Lane& lane;
    std::function<void(Instant)> after;
    PollResult poll(Instant now, std::span<const RxPacket> rx, std::span<TxPacket> tx) {
      const PollResult result = lane.poll(now, rx, tx);
      after(now);
      return result;
    }
    std::span<const StreamOp> take_stream_ops() { return lane.take_stream_ops(); }
    void on_stream(Instant now, const StreamEvent& event) { lane.on_stream(now, event); }
    bool wants_streams() const { return lane.wants_streams(); }
    bool has_mail() const { return lane.has_mail(); }
  } driven{watcher.lane(), [&](Instant now) {
             watcher.drain(now);
             if (!warm && now - began.at > 2s) {
               warm = lap();
             }
             const std::uint32_t asked = shared.asked.load(std::memory_order_relaxed);
             const bool late = now - began.at > 120s;
             if (warm && !swept && (asked >= wanted.members || late)) {
               swept = lap();
               watcher.kill_some(now);
             }
             const bool over =
                 swept && (watcher.all_found() || seconds_of(now - swept->at) > wanted.seconds);
             if (over) stop.store(true);
           }};
  io::run_lane(driven, *opened->ports, stop, [] {});
  ticker.join();
  const double seconds = seconds_of(swept->at - warm->at);
  const auto probes = static_cast<double>(swept->pings - warm->pings);
  const double cpu = swept->cpu - warm->cpu;
  std::printf(
      "{\"port\": \"%s\", \"members\": %u, \"hosted\": %u,\n \"probes_a_second\": %.0f, "
      "\"core_seconds_a_second\": %.3f, \"cpu_us_a_probe\": %.2f, \"sweep_s\": %.2f, \"asked\": %u",
      wanted.port.c_str(), wanted.members, wanted.hosted, probes / seconds, cpu / seconds,
      cpu * 1e6 / probes, seconds_of(swept->at - began.at), shared.asked.load());
  watcher.print_detection();
  std::printf("}\n");
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return 0;
}

}  // namespace

}  // namespace starling::bench

int main(int argc, char** argv) {
  using namespace starling::bench;
  Wanted wanted;
  const auto number = [](const char* text) {
    return static_cast<std::uint32_t>(std::max(1L, std::strtol(text, nullptr, 10)));
  };
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--port") wanted.port = argv[i + 1];
    if (flag == "--members") wanted.members = std::min(members_limit, number(argv[i + 1]));
    if (flag == "--hosted") wanted.hosted = number(argv[i + 1]);
    if (flag == "--kills") wanted.kills = number(argv[i + 1]);
    if (flag == "--seconds") wanted.seconds = number(argv[i + 1]);
  }
  wanted.kills = std::min(wanted.kills, wanted.members / 10);
  void* const place =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(place != MAP_FAILED);
  Shared& shared = *new (place) Shared;
  return wanted.port == "memory" ? run_memory(wanted, shared) : run_sockets(wanted, shared);
}
