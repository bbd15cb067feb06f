// What keeping a snapshot of a large cluster costs, and whom it keeps waiting.
//
//     snapshot_bench [--members N] [--rounds N] [--folder PATH]
//
// A round, all of it on the disk under PATH (default "."), with N members (default a million):
//   lines       N joins through Snapshot and its writer's thread, to the disk
//   compaction  of a file that has grown to twice what its members need, while they come and go,
//               one with each turn of the loop; beside it a live engine that a thread pings
//   recovery    of the file that the compaction has left
// Each is divided by the time that plain sequential writing of as many bytes takes, with one sync
// at the end, in the same round. Printed are medians of the rounds (default 5) and the worst of the
// waits: of a ping for its ack, and of a call for the control thread's loop, without and with a
// compaction.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include "agent/addresses.h"
#include "agent/engine_host.h"
#include "agent/snapshot/snapshot.h"
#include "bench/samples.h"
#include "io/open.h"
#include "wire/base/check.h"

namespace starling::bench {
namespace {

using namespace std::chrono_literals;
using agent::EventLoop;
using agent::Log;
using agent::LogLevel;
using agent::MembersMirror;
using agent::Snapshot;

constexpr std::size_t piece_bytes = 64 * 1024;

double seconds_since(Instant start) {
  return std::chrono::duration<double>(EventLoop::now() - start).count();
}

std::size_t status_kib(std::string_view field) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(field)) return std::stoul(line.substr(line.find(':') + 1));
  }
  return 0;
}
// From now on VmHWM is the peak since now; what was freed before does not hide what is taken.
void forget_peak() {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";
}

struct Members {
  explicit Members(std::uint32_t count) {
    for (std::uint32_t number = 0; number < count; ++number) samples.emplace_back(number);
  }
  // The name must not outlive the members.
  Event event(std::uint32_t number, MemberEventKind change) const {
    Event event;
    event.kind = Event::Kind::member;
    event.name = samples[number].name();
    event.status = change == MemberEventKind::join ? MemberStatus::alive : MemberStatus::failed;
    event.change = change;
    event.endpoint = {IpAddress(samples[number].alive(1).address), 7946};
    return event;
  }
  std::string line(std::uint32_t number) const {
    const Event join = event(number, MemberEventKind::join);
    return fmt::format("alive: {} {}\n", join.name, agent::format_endpoint(join.endpoint));
  }
  std::vector<Sample> samples;
};

// Seconds to write `bytes` of lines, piece by piece, and to have them on the disk.
double write_plainly(const std::string& path, std::size_t bytes) {
  const std::string piece(piece_bytes, 'x');
  const io::File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  CHECK(file.open());
  const Instant start = EventLoop::now();
  for (std::size_t left = bytes; left > 0;) {
    const ssize_t count = ::write(file.descriptor(), piece.data(), std::min(left, piece.size()));
    CHECK(count > 0);
    left -= static_cast<std::size_t>(count);
  }
  CHECK(fsync(file.descriptor()) == 0);
  const double seconds = seconds_since(start);
  ::unlink(path.c_str());
  return seconds;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

// ---- waits ----

struct Waits {
  std::vector<double> ms;
  double at(double part) const {
    std::vector<double> sorted = ms;
    std::ranges::sort(sorted);
    return sorted.empty()
               ? 0
               : sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
  }
};

// Asks a node for acks and a loop for calls, every millisecond, from a thread of its own. What it
// found goes to the place that is set when the question is asked.
class Asker {
 public:
  enum class Place : std::uint8_t { before, during };
  Asker(EventLoop& loop, const Endpoint& node)
      : loop_(loop), node_(node), thread_([this] { run(); }) {}
  ~Asker() { stop(); }
  void stop() {
    stopping_.store(true, std::memory_order_relaxed);  // nothing is published by it
    if (thread_.joinable()) thread_.join();
  }
  void set_place(Place place) { place_.store(place, std::memory_order_relaxed); }
  // The loop's thread, and after stop().
  std::array<Waits, 2> calls;
  // After stop().
  std::array<Waits, 2> acks;
  std::size_t lost = 0;

 private:
  void run() {
    const io::File socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in there{};
    there.sin_family = AF_INET;
    there.sin_port = htons(node_.port);
    std::memcpy(&there.sin_addr, node_.address.bytes().data(), 4);
    CHECK(connect(socket.descriptor(), reinterpret_cast<sockaddr*>(&there), sizeof there) == 0);
    std::uint32_t sequence = 0;
    while (!stopping_.load(std::memory_order_relaxed)) {
      const auto place = static_cast<std::size_t>(place_.load(std::memory_order_relaxed));
      const Instant start = EventLoop::now();
      loop_.post([this, place, start] { calls[place].ms.push_back(1e3 * seconds_since(start)); });
      const ByteVector ping =
          encoded(Ping{.sequence = SequenceNumber{++sequence}, .node = "bench"});
      CHECK(send(socket.descriptor(), ping.data(), ping.size(), 0) > 0);
      pollfd entry{.fd = socket.descriptor(), .events = POLLIN, .revents = 0};
      if (poll(&entry, 1, 1000) == 1) {
        std::array<char, 2048> room;
        static_cast<void>(recv(socket.descriptor(), room.data(), room.size(), 0));
        acks[place].ms.push_back(1e3 * seconds_since(start));
      } else {
        ++lost;
      }
      std::this_thread::sleep_for(1ms);
    }
  }

  EventLoop& loop_;
  Endpoint node_;
  std::atomic<Place> place_{Place::before};  // read alone: pairs with nothing
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

std::unique_ptr<agent::EngineHost> start_engine(EventLoop& loop) {
  EngineOptions options;
  options.name = "bench";
  options.seed = 7;
  options.meta = std::string{'\xff', '\x80'};
  auto opened = io::open_ports({.bind = {IpAddress::v4(127, 0, 0, 1), 0},
                                .choice = io::PortChoice::automatic,
                                .packet_room_bytes = options.packet_room_bytes()});
  CHECK(opened.has_value());
  options.advertise = opened->ports->bound();
  std::vector<std::unique_ptr<io::Ports>> ports;
  ports.push_back(std::move(opened->ports));
  auto host = agent::EngineHost::start(options, std::move(ports), loop, [](const Event&) {});
  CHECK(host.has_value());
  return std::move(*host);
}

// ---- a round ----

struct Options {
  std::uint32_t members = 1'000'000;
  int rounds = 5;
  std::string folder = ".";
};

struct Round {
  double lines_seconds = 0, lines_plain = 0;
  std::size_t lines_bytes = 0;
  double compaction_seconds = 0, compaction_plain = 0;
  std::size_t compaction_bytes = 0, bytes_before = 0, peak_kib = 0;
  double recovery_seconds = 0, recovery_plain = 0;
  std::size_t recovered = 0, alive = 0, acks_lost = 0;
  std::array<Waits, 2> calls, acks;
};

class Rounds {
 public:
  explicit Rounds(const Options& options)
      : options_(options),
        path_(options.folder + "/snapshot_bench.tmp"),
        plain_(options.folder + "/snapshot_bench.plain.tmp"),
        members_(options.members) {}

  Round play() {
    Round round;
    measure_lines(round);
    measure_compaction(round);
    measure_recovery(round);
    ::unlink(path_.c_str());
    return round;
  }

 private:
  std::unique_ptr<Snapshot> open(EventLoop& loop, MembersMirror& mirror) {
    Snapshot::Options options;
    options.path = path_;
    options.recovery.names_max = 2 * options_.members;
    auto snapshot = Snapshot::open(loop, log_, mirror, options);
    CHECK(snapshot.has_value());
    return std::move(*snapshot);
  }

  // The loop's thread formats, the writer's writes; as fast as the writer takes it.
  void measure_lines(Round& round) {
    ::unlink(path_.c_str());
    EventLoop loop;
    MembersMirror mirror(options_.members);
    const auto snapshot = open(loop, mirror);
    const Instant start = EventLoop::now();
    for (std::uint32_t number = 0; number < options_.members; ++number) {
      snapshot->on_member(members_.event(number, MemberEventKind::join));
      if (number % 1024 != 0) continue;
      while (number > snapshot->timings().lines + 100'000) std::this_thread::sleep_for(100us);
    }
    snapshot->stop();
    round.lines_seconds = seconds_since(start);
    round.lines_bytes = size_of_file();
    CHECK(snapshot->timings().lines >= options_.members);
    round.lines_plain = write_plainly(plain_, round.lines_bytes);
  }

  // Joins of the same members again and again, until it is time for a compaction.
  void grow_file() {
    std::ofstream file(path_, std::ios::trunc);
    // Those of the earlier life that the agent would try are counted as well.
    const std::size_t rows = options_.members + agent::RecoveryOptions{}.nodes_max;
    const std::size_t wanted = 256 * rows + 1;
    std::size_t bytes = 0;
    for (std::uint32_t number = 0; bytes < wanted; number = (number + 1) % options_.members) {
      const std::string line = members_.line(number);
      file << line;
      bytes += line.size();
    }
  }

  void measure_compaction(Round& round) {
    grow_file();
    round.bytes_before = size_of_file();
    EventLoop loop;
    MembersMirror mirror(options_.members);
    for (std::uint32_t number = 0; number < options_.members; ++number) {
      mirror.apply(members_.event(number, MemberEventKind::join));
    }
    const auto engine = start_engine(loop);
    const auto snapshot = open(loop, mirror);
    Asker asker(loop, engine->ports().bound());
    std::uint64_t changes = 0;
    const auto churn = [&] {
      const auto other = static_cast<std::uint32_t>(changes++ * 7919 % options_.members);
      const std::optional<agent::MemberView> row = mirror.find(members_.samples[other].name());
      const bool gone = row && row->status == MemberStatus::failed;
      const Event event =
          members_.event(other, gone ? MemberEventKind::join : MemberEventKind::failed);
      mirror.apply(event);
      snapshot->on_member(event);
    };
    const auto run_until = [&](auto done) {
      while (!done()) {
        loop.turn(1ms);
        churn();
      }
    };
    const Instant baseline = EventLoop::now();
    run_until([&] { return seconds_since(baseline) > 1; });

    forget_peak();
    const std::size_t resident = status_kib("VmRSS");
    asker.set_place(Asker::Place::during);
    const Instant start = EventLoop::now();
    snapshot->start([&] { snapshot->on_numbers({.members_alive = options_.members}); });
    CHECK(snapshot->compacting());
    run_until([&] { return !snapshot->compacting(); });
    round.compaction_seconds = seconds_since(start);
    round.peak_kib = status_kib("VmHWM") - std::min(resident, status_kib("VmHWM"));
    asker.stop();
    loop.turn(1ms);
    snapshot->stop();
    engine->stop();
    round.compaction_bytes = size_of_file();
    round.alive = mirror
                      .list([](const agent::MemberView& member) {
                        return member.status == MemberStatus::alive;
                      })
                      .size();
    round.calls = asker.calls;
    round.acks = asker.acks;
    round.acks_lost = asker.lost;
    round.compaction_plain = write_plainly(plain_, round.compaction_bytes);
  }

  void measure_recovery(Round& round) {
    const Instant start = EventLoop::now();
    const auto recovered =
        agent::recover_file(path_, {.names_max = 2 * std::size_t{options_.members}});
    round.recovery_seconds = seconds_since(start);
    CHECK(recovered.has_value());
    round.recovered = recovered->alive;
    CHECK(round.recovered == round.alive);  // what was written while members came and went
    round.recovery_plain = write_plainly(plain_, size_of_file());
  }

  std::size_t size_of_file() const {
    std::ifstream file(path_, std::ios::ate | std::ios::binary);
    return static_cast<std::size_t>(file.tellg());
  }

  Options options_;
  std::string path_, plain_;
  Members members_;
  Log log_{LogLevel::err, [](std::string_view line) { fmt::print(stderr, "{}\n", line); }};
};

void print(const Options& options, const std::vector<Round>& rounds) {
  const auto of = [&](auto member) {
    std::vector<double> values;
    for (const Round& round : rounds) values.push_back(static_cast<double>(round.*member));
    return median(values);
  };
  const auto ratio = [&](double Round::*seconds, double Round::*plain) {
    std::vector<double> values;
    for (const Round& round : rounds) values.push_back(round.*seconds / (round.*plain));
    return median(values);
  };
  const double members = options.members;
  fmt::print(
      "{} members, medians of {} rounds; times plain writing of as many bytes in the same round\n",
      options.members, rounds.size());
  fmt::print("lines       {:8.3f} s {:7.1f} MB {:6.2f} times   {:.2f} M lines/s\n",
             of(&Round::lines_seconds), of(&Round::lines_bytes) / 1e6,
             ratio(&Round::lines_seconds, &Round::lines_plain),
             members / of(&Round::lines_seconds) / 1e6);
  fmt::print(
      "compaction  {:8.3f} s {:7.1f} MB {:6.2f} times   from {:.1f} MB, {:.1f} MiB of memory\n",
      of(&Round::compaction_seconds), of(&Round::compaction_bytes) / 1e6,
      ratio(&Round::compaction_seconds, &Round::compaction_plain), of(&Round::bytes_before) / 1e6,
      of(&Round::peak_kib) / 1024);
  fmt::print("recovery    {:8.3f} s {:7.1f} MB {:6.2f} times   {} of {} members\n",
             of(&Round::recovery_seconds), of(&Round::compaction_bytes) / 1e6,
             ratio(&Round::recovery_seconds, &Round::recovery_plain), rounds.back().recovered,
             rounds.back().alive);
  const auto wait = [&](const char* name, std::array<Waits, 2> Round::*waits_of) {
    for (const std::size_t place : {std::size_t{0}, std::size_t{1}}) {
      std::vector<double> halves, worst_hundredths, worst;
      std::size_t count = 0;
      for (const Round& round : rounds) {
        const Waits& waits = (round.*waits_of)[place];
        halves.push_back(waits.at(0.5));
        worst_hundredths.push_back(waits.at(0.99));
        worst.push_back(waits.at(1));
        count += waits.ms.size();
      }
      fmt::print("{} {}  p50 {:.2f} ms, p99 {:.2f} ms, the last {:.2f} ms ({} in all)\n", name,
                 place == 0 ? "without" : "with   ", median(halves), median(worst_hundredths),
                 median(worst), count);
    }
  };
  wait("an ack,  compaction", &Round::acks);
  wait("a call,  compaction", &Round::calls);
}

}  // namespace
}  // namespace starling::bench

int main(int count, char** values) {
  using namespace starling::bench;
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = values[i];
    if (name == "--members") options.members = static_cast<std::uint32_t>(std::atol(values[i + 1]));
    if (name == "--rounds") options.rounds = std::atoi(values[i + 1]);
    if (name == "--folder") options.folder = values[i + 1];
  }
  CHECK(options.members >= 1000 && options.rounds >= 1);
  Rounds rounds(options);
  std::vector<Round> played;
  for (int i = 0; i < options.rounds; ++i) played.push_back(rounds.play());
  print(options, played);
  return 0;
}
