// What a node makes of gossip against a table of a million: packets of twenty alives, about members
// it knows and about strangers, on one lane and on two lanes with a thread each.
//
//   apply_bench [--members N] [--strangers N] [--rounds N]
//
// Each lane is handed its share of the packets, as the kernel deals them out to the lanes' sockets;
// what belongs to the other lane goes there by mail, and a phase is over when that has been applied
// as well. A third thread takes the events. The rate of a node is that of its busiest lane's
// processor time (`per_core_second`), which other work on the machine does not touch, and by the
// clock. Prints one JSON object: medians of the rounds, and the ratio of two lanes to one.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <thread>
#include <vector>

#include "bench/samples.h"
#include "core/engine/engine.h"
#include "io/clock.h"
#include "io/mapped_memory.h"
#include "wire/base/check.h"

namespace starling::bench {

namespace {

using namespace std::chrono_literals;
using io::MonotonicClock;

constexpr std::uint32_t alives_per_packet = 20;
// Fewer than what counts as being overrun, and half of their alives are no more mail than the other
// lane takes in a turn.
constexpr std::size_t packets_per_turn = 50;
// How far a lane may be ahead of the other, so that no mail is lost when one is not running.
constexpr std::uint64_t turns_ahead_max = 4;
const Endpoint sender{IpAddress::v4(10, 0, 0, 1), 7946};

struct Wanted {
  std::uint32_t members = 1'000'000;
  std::uint32_t strangers = 200'000;
  int rounds = 3;
};

double thread_seconds() {
  timespec now{};
  CHECK(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

// Packets that name members first..first+count-1 once, in a random order.
std::vector<ByteVector> packets_about(std::uint32_t first, std::uint32_t count) {
  std::vector<std::uint32_t> numbers = shuffled(count);
  for (std::uint32_t& number : numbers) number += first;
  std::vector<ByteVector> packets;
  for (std::size_t at = 0; at < numbers.size(); at += alives_per_packet) {
    const std::size_t some = std::min<std::size_t>(alives_per_packet, numbers.size() - at);
    packets.push_back(compound_of_alives(std::span(numbers).subspan(at, some), 1));
  }
  return packets;
}

struct Rates {
  double core = 0, clock = 0;  // alives a second
};

class LanedBench {
 public:
  LanedBench(std::uint32_t lanes, const Wanted& wanted) : options_(options_of(lanes, wanted)) {
    auto memory = io::MappedMemory::map({.bytes = Engine::footprint(options_), .huge_pages = true});
    CHECK(memory.has_value());
    memory_ = std::move(*memory);
    auto engine = Engine::create(options_, memory_.bytes(), now_);
    CHECK(engine.has_value());
    engine_.emplace(std::move(*engine));
    drainer_ = std::thread([this] {
      while (!stop_.load(std::memory_order_relaxed)) {
        if (engine_->events().drain(100'000, [](const Event&) {}) == 0) ::usleep(500);
      }
    });
  }
  ~LanedBench() {
    if (drainer_.joinable()) end();
  }

  Rates receive(std::span<const ByteVector> packets) {
    const std::uint32_t lanes = options_.lanes;
    std::vector<std::atomic<std::uint64_t>> turns(lanes), finished(lanes);
    std::vector<double> busy(lanes);
    std::vector<std::thread> threads;
    const Instant began = MonotonicClock::now();
    for (std::uint32_t i = 0; i < lanes; ++i) {
      threads.emplace_back([&, i] {
        const std::size_t share = packets.size() / lanes;
        busy[i] = turn_lane(i, packets.subspan(i * share, share), turns, finished);
      });
    }
    for (std::thread& thread : threads) thread.join();
    const double clock = std::chrono::duration<double>(MonotonicClock::now() - began).count();
    const auto alives = static_cast<double>(packets.size() * alives_per_packet);
    return {.core = alives / *std::ranges::max_element(busy), .clock = alives / clock};
  }

  // Nothing was lost and everything is there; the engine is of no use afterwards.
  void end_with(std::uint64_t members) {
    end();
    CHECK(engine_->commands().send({.kind = Command::Kind::stats, .token = 1}));
    std::optional<Stats> stats;
    Blanks blanks(options_);
    for (int turn = 0; turn < 1'000 && !stats; ++turn) {
      now_ += 1us;
      for (Lane& lane : engine_->lanes()) lane.poll(now_, {}, blanks.packets);
      engine_->events().drain(100'000, [&](const Event& event) {
        if (event.kind == Event::Kind::stats) stats = event.stats;
      });
    }
    CHECK(stats.has_value());
    CHECK(stats->counters.mails_lost == 0);
    CHECK(stats->nodes == members);
  }

 private:
  struct Blanks {
    explicit Blanks(const EngineOptions& options)
        : packets(2 * Lane::blanks_wanted), rooms(packets.size() * options.packet_room_bytes()) {
      const std::size_t room = options.packet_room_bytes();
      for (std::size_t i = 0; i < packets.size(); ++i) {
        packets[i].room = MutableBytes(rooms).subspan(i * room, room);
      }
    }
    std::vector<TxPacket> packets;
    std::vector<std::byte> rooms;
  };

  static EngineOptions options_of(std::uint32_t lanes, const Wanted& wanted) {
    EngineOptions options;
    options.name = "bench";
    options.advertise = {IpAddress::v4(127, 0, 0, 1), 7946};
    options.seed = 1;
    options.lanes = lanes;
    options.compress = false;
    options.traces = 0;
    options.swim.probe_interval = Duration::zero();
    options.swim.gossip_interval = Duration::zero();
    options.swim.push_pull_interval = Duration::zero();
    // A node of several lanes has none, so the one lane must not pay for them either.
    options.swim.digests = false;
    CapacityOptions& capacity = options.capacity;
    capacity.members_max = wanted.members + wanted.strangers + 1;
    capacity.streams_max = 4;
    capacity.stream_frame_bytes_max = 1u << 20;
    capacity.queue_slab_bytes = 64u << 20;
    capacity.event_ring_bytes = 1u << 27;
    capacity.mail_ring_bytes = 1u << 22;
    return options;
  }

  // The turns of one lane until all lanes have had their packets and no mail is left; how long it
  // was at work.
  double turn_lane(std::uint32_t me, std::span<const ByteVector> packets,
                   std::vector<std::atomic<std::uint64_t>>& turns,
                   std::vector<std::atomic<std::uint64_t>>& finished) {
    Lane& lane = engine_->lanes()[me];
    Blanks blanks(options_);
    std::vector<RxPacket> rx;
    double busy = 0;
    Instant now = now_ + 1s;
    const auto poll = [&] {
      now += 1us;
      const double began = thread_seconds();
      const PollResult result = lane.poll(now, rx, blanks.packets);
      busy += thread_seconds() - began;
      CHECK(result.taken == rx.size());
    };
    const auto behind = [&] {
      std::uint64_t least = UINT64_MAX;
      for (std::size_t i = 0; i < turns.size(); ++i) {
        if (finished[i].load(std::memory_order_acquire) == 0) {
          least = std::min(least, turns[i].load(std::memory_order_acquire));
        }
      }
      return least;
    };
    for (std::size_t at = 0; at < packets.size(); at += packets_per_turn) {
      while (turns[me].load(std::memory_order_relaxed) > behind() + turns_ahead_max) {
        std::this_thread::yield();
      }
      rx.clear();
      for (const ByteVector& packet :
           packets.subspan(at, std::min(packets_per_turn, packets.size() - at))) {
        rx.push_back({.from = sender, .bytes = packet, .cookie = 0});
      }
      poll();
      turns[me].fetch_add(1, std::memory_order_release);
    }
    rx.clear();
    finished[me].store(1, std::memory_order_release);
    // The others may still write to us until they have finished, too.
    for (;;) {
      const bool all = std::ranges::all_of(
          finished, [](const auto& of) { return of.load(std::memory_order_acquire) != 0; });
      if (lane.has_mail()) {
        poll();
      } else if (all) {
        return busy;
      } else {
        std::this_thread::yield();
      }
    }
  }

  void end() {
    stop_.store(true);
    drainer_.join();
    now_ += 1h;
  }

  EngineOptions options_;
  Instant now_{1s};
  io::MappedMemory memory_;
  std::optional<Engine> engine_;
  std::atomic<bool> stop_{false};
  std::thread drainer_;
};

int run(const Wanted& wanted) {
  const std::vector<ByteVector> known = packets_about(0, wanted.members);
  const std::vector<ByteVector> strangers = packets_about(wanted.members, wanted.strangers);
  struct Figures {
    std::vector<double> known_core, known_clock, new_core, new_clock;
  };
  std::array<Figures, 2> figures;
  std::vector<double> ratio_known, ratio_new;
  for (int round = 0; round < wanted.rounds; ++round) {
    for (const std::uint32_t lanes : {1u, 2u}) {
      LanedBench node(lanes, wanted);
      node.receive(known);
      const Rates of_known = node.receive(known);
      const Rates of_new = node.receive(strangers);
      node.end_with(1 + wanted.members + wanted.strangers);
      Figures& of = figures[lanes - 1];
      of.known_core.push_back(of_known.core);
      of.known_clock.push_back(of_known.clock);
      of.new_core.push_back(of_new.core);
      of.new_clock.push_back(of_new.clock);
    }
    ratio_known.push_back(figures[1].known_core.back() / figures[0].known_core.back());
    ratio_new.push_back(figures[1].new_core.back() / figures[0].new_core.back());
  }
  std::printf("{\"members\": %u, \"strangers\": %u, \"rounds\": %d", wanted.members,
              wanted.strangers, wanted.rounds);
  for (std::size_t i = 0; i < figures.size(); ++i) {
    const Figures& of = figures[i];
    std::printf(
        ",\n \"lanes_%zu\": {\"known_per_core_second\": %.0f, \"known_by_the_clock\": %.0f, "
        "\"new_per_core_second\": %.0f, \"new_by_the_clock\": %.0f}",
        i + 1, median(of.known_core), median(of.known_clock), median(of.new_core),
        median(of.new_clock));
  }
  std::printf(",\n \"ratio_known\": %.2f, \"ratio_new\": %.2f}\n", median(ratio_known),
              median(ratio_new));
  return 0;
}

}  // namespace

}  // namespace starling::bench

int main(int argc, char** argv) {
  starling::bench::Wanted wanted;
  // Whole turns for each lane.
  const auto number = [](const char* text) {
    const auto asked = static_cast<std::uint32_t>(std::max(1L, std::strtol(text, nullptr, 10)));
    return std::max(40u, asked / 40 * 40);
  };
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--members") wanted.members = number(argv[i + 1]);
    if (flag == "--strangers") wanted.strangers = number(argv[i + 1]);
    if (flag == "--rounds") wanted.rounds = std::max(1, std::atoi(argv[i + 1]));
  }
  return starling::bench::run(wanted);
}
