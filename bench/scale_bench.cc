// What grows with the number of members, at ten thousand, a hundred thousand and a million.
//
//   meson configure build -Dbench=true; ninja -C build bench/scale_bench; build/bench/scale_bench
//
// Works on a Node as a lane has it, on fresh memory, with the ring drained as an owner would.
// Members have names of 16 bytes and one of eight sets of tags of 32 bytes. Beside the time:
//   B_a_member    resident memory of the whole node divided by the members (/proc/self/statm), with
//                 the fixed parts: event ring, queue of broadcasts
//   longest_us    the longest single turn of what is measured: how long a lane does nothing else
#include <unistd.h>

#include <fstream>
#include <memory>

#include "bench/counters.h"
#include "bench/samples.h"
#include "core/engine/memory_budget.h"
#include "core/shard/apply_alive.h"
#include "core/shard/apply_dead.h"
#include "core/shard/gossip_turn.h"
#include "core/shard/hosting.h"
#include "core/shard/node.h"
#include "core/shard/reap_turn.h"
#include "core/swim/versions.h"
#include "io/mapped_memory.h"
#include "wire/base/check.h"

namespace starling::bench {
namespace {

using namespace std::chrono_literals;

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t pages_all = 0, pages_resident = 0;
  statm >> pages_all >> pages_resident;
  return pages_resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

double microseconds(std::int64_t began) {
  return static_cast<double>(cpu_nanoseconds() - began) / 1000;
}

// The number of a member as its name, address and tags.
class Member {
 public:
  explicit Member(std::uint32_t number) {
    for (std::uint32_t at = 16, rest = number; at > 7; rest /= 10) {
      name_[--at] = static_cast<char>('0' + rest % 10);
    }
    tags_.back() = static_cast<char>('0' + number % 8);
    for (std::size_t i = 0; i < 3; ++i) {
      address_[i + 1] = static_cast<std::byte>(number >> (8 * (2 - i)));
    }
    address_[0] = std::byte{10};
  }
  std::string_view name() const { return {name_.data(), name_.size()}; }
  Alive alive(std::uint32_t incarnation) const {
    return {.incarnation = Incarnation{incarnation},
            .node = name(),
            .address = address_,
            .port = 7946,
            .meta = as_bytes({tags_.data(), tags_.size()}),
            .versions = versions_};
  }

 private:
  std::array<char, 16> name_{'m', 'e', 'm', 'b', 'e', 'r', '-'};
  std::array<char, 32> tags_{'r', 'o', 'l', 'e', '=', 'w', 'e', 'b', ',', 'z', 'o', 'n', 'e', '='};
  std::array<std::byte, 4> address_;
  std::array<std::byte, 6> versions_ = write_versions(Versions{});
};

class World {
 public:
  explicit World(std::uint32_t members_max) : options_(options_for(members_max)) {
    resident_before_ = resident_bytes();
    const std::size_t ring = ring_footprint(options_.capacity.event_ring_bytes);
    auto memory = io::MappedMemory::map({.bytes = Node::footprint(options_) + ring + 4096});
    CHECK(memory.has_value());
    memory_ = std::move(*memory);
    arena_.emplace(memory_.bytes());
    auto [writer, reader] = make_ring(*arena_, options_.capacity.event_ring_bytes);
    reader_ = std::make_unique<EventReader>(std::move(reader));
    node_ = std::make_unique<Node>(*arena_, options_, now, EventWriter(std::move(writer)));
    rooms_.resize(blanks_.size() * options_.packet_room_bytes());
    for (std::size_t i = 0; i < blanks_.size(); ++i) {
      blanks_[i].room = MutableBytes(rooms_).subspan(i * options_.packet_room_bytes(),
                                                     options_.packet_room_bytes());
    }
    CHECK(host(*node_, now, {options_.name, options_.advertise, {}}) == HostProblem::none);
  }
  Node& operator*() { return *node_; }
  Node* operator->() { return node_.get(); }

  // As the beginning of a turn: blank packets, and the owner has drained the ring.
  void begin_turn() {
    node_->out.lend(blanks_);
    while (reader_->drain(100'000, [](const Event&) {}) > 0) {
    }
    node_->report.flush(now, node_->members, node_->serf);
  }
  void fill(std::uint32_t members) {
    for (std::uint32_t i = 0; i < members; ++i) {
      if (i % 1024 == 0) begin_turn();
      apply_alive(*node_, now, Member(i).alive(1), {});
    }
    begin_turn();
    CHECK(node_->nodes() == members + 1);
  }
  void kill(std::uint32_t members) {
    for (std::uint32_t i = 0; i < members; ++i) {
      if (i % 1024 == 0) begin_turn();
      apply_dead(*node_, now,
                 {.incarnation = Incarnation{1}, .node = Member(i).name(), .from = "somebody else"},
                 0);
    }
    begin_turn();
  }
  std::size_t resident() const { return resident_bytes() - resident_before_; }
  std::size_t budget_member_bytes() const { return budget_of(options_).member_bytes(); }

  Instant now{1s};

 private:
  static EngineOptions options_for(std::uint32_t members_max) {
    EngineOptions options;
    options.name = "bench";
    options.advertise = {IpAddress::v4(127, 0, 0, 1), 7946};
    options.seed = 1;
    options.compress = false;
    options.capacity.members_max = members_max;
    options.capacity.streams_max = 4;
    options.capacity.stream_frame_bytes_max = 1u << 20;
    return options;
  }

  EngineOptions options_;
  std::size_t resident_before_ = 0;
  io::MappedMemory memory_;
  std::optional<Arena> arena_;
  std::unique_ptr<EventReader> reader_;
  std::unique_ptr<Node> node_;
  std::vector<std::byte> rooms_;
  std::array<TxPacket, 128> blanks_;
};

std::uint32_t members_of(const benchmark::State& state) {
  return static_cast<std::uint32_t>(state.range(0));
}

void start(benchmark::State& state) {
  for (auto _ : state) {
    World world(members_of(state) + 1);
    state.counters["resident_MB"] = static_cast<double>(world.resident()) / 1e6;
  }
}

void insert(benchmark::State& state) {
  PartMeter meter(state, members_of(state));
  for (auto _ : state) {
    World world(members_of(state) + 1);
    meter.begin();
    world.fill(members_of(state));
    meter.end();
    state.counters["resident_MB"] = static_cast<double>(world.resident()) / 1e6;
    state.counters["B_a_member"] =
        static_cast<double>(world.resident()) / static_cast<double>(members_of(state));
    state.counters["B_budget"] = static_cast<double>(world.budget_member_bytes());
  }
}

void counting(benchmark::State& state) {
  World world(members_of(state) + 1);
  world.fill(members_of(state));
  for (auto _ : state) benchmark::DoNotOptimize(world->serf.counts());
}

// One of 4096 buckets after the other, as a digest would be made.
void bucket_scan(benchmark::State& state) {
  World world(members_of(state) + 1);
  world.fill(members_of(state));
  double longest = 0;
  PartMeter meter(state, members_of(state) + 1);
  for (auto _ : state) {
    std::uint32_t seen = 0;
    std::uint64_t sum = 0;
    meter.begin();
    for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) {
      const std::int64_t began = cpu_nanoseconds();
      world->members.for_each_in_buckets(
          Bucket{static_cast<std::uint16_t>(bucket)}, 1, [&](Slot slot) {
            ++seen;
            sum +=
                to_number(world->members.hash(slot)) + to_number(world->members.incarnation(slot));
          });
      longest = std::max(longest, microseconds(began));
    }
    meter.end();
    benchmark::DoNotOptimize(sum);
    CHECK(seen == members_of(state) + 1);
  }
  state.counters["longest_us"] = longest;
}

void erase(benchmark::State& state) {
  PartMeter meter(state, members_of(state));
  for (auto _ : state) {
    World world(members_of(state) + 1);
    world.fill(members_of(state));
    const std::uint32_t end = to_number(world->members.slots_end());
    meter.begin();
    for (std::uint32_t slot = 1; slot < end; ++slot) world->members.erase(Slot{slot});
    meter.end();
    CHECK(world->members.size() == 1);
  }
}

void probe_turns(benchmark::State& state) {
  World world(members_of(state) + 1);
  world.fill(members_of(state));
  double longest = 0;
  for (auto _ : state) {
    const std::int64_t began = cpu_nanoseconds();
    const auto next = world->peers.next(
        world->rng, [](Slot) { return false; }, [&] { reap_nodes(*world, world.now); });
    longest = std::max(longest, microseconds(began));
    benchmark::DoNotOptimize(next);
  }
  state.counters["longest_us"] = longest;
}

// All members are dead and overdue, in both layers: node list, Serf's lists and rows go.
void reap_all(benchmark::State& state) {
  double longest_node_list = 0, longest_serf = 0;
  PartMeter meter(state, members_of(state));
  for (auto _ : state) {
    World world(members_of(state) + 1);
    world.fill(members_of(state));
    world.kill(members_of(state));
    world.now += 48h;
    meter.begin();
    reap_nodes(*world, world.now);
    while (world->nodes() > 1) {
      world.begin_turn();
      const std::int64_t began = cpu_nanoseconds();
      reap_more_nodes(*world, world.now);
      longest_node_list = std::max(longest_node_list, microseconds(began));
      if (!world->peers.sweeping()) world->peers.start_sweep();
    }
    while (world->serf.counts().total > 1) {
      world.begin_turn();
      const std::int64_t began = cpu_nanoseconds();
      reap_turn(*world, world.now);
      longest_serf = std::max(longest_serf, microseconds(began));
    }
    meter.end();
    world.begin_turn();
    CHECK(world->members.size() == 1);
  }
  state.counters["longest_us"] = std::max(longest_node_list, longest_serf);
}

// A thousand updates a second for a minute of virtual time: how many wait after each ten seconds.
void churn(benchmark::State& state) {
  for (auto _ : state) {
    World world(members_of(state) + 1);
    world.fill(members_of(state));
    // Begins with an empty queue: what filling left in it is another matter.
    world->broadcasts.prune(0);
    Rng rng(5);
    double longest = 0;
    std::uint32_t deepest = 0, incarnation = 2;
    world->wheel.arm(timer(FixedTimer::gossip), world.now + 200ms);
    const std::uint64_t bytes_before = world->counters.bytes_out;
    const std::uint64_t dropped_before = world->broadcasts.dropped();
    for (int ms = 0; ms < 60'000; ++ms) {
      world.now += 1ms;
      world.begin_turn();
      apply_alive(*world, world.now, Member(rng.below(members_of(state))).alive(incarnation++), {});
      const std::int64_t began = cpu_nanoseconds();
      world->wheel.advance(world.now, [&](TimerId id) {
        if (id == timer(FixedTimer::gossip)) {
          world->wheel.arm(id, world.now + 200ms);
          gossip_turn(*world, world.now);
        } else if (id == timer(FixedTimer::gossip_surplus)) {
          gossip_surplus_turn(*world, world.now);
        }
        return true;
      });
      longest = std::max(longest, microseconds(began));
      deepest = std::max(deepest, world->broadcasts.size());
      if (ms % 10'000 == 9'999) {
        state.counters["queued_at_" + std::to_string((ms + 1) / 1000) + "s"] =
            world->broadcasts.size();
      }
    }
    state.counters["queued_max"] = deepest;
    state.counters["dropped"] = static_cast<double>(world->broadcasts.dropped() - dropped_before);
    state.counters["MB_per_s"] =
        static_cast<double>(world->counters.bytes_out - bytes_before) / 60e6;
    state.counters["longest_us"] = longest;
  }
}

void sized(const char* what, void (*function)(benchmark::State&), int iterations, bool manual) {
  for (const std::int64_t members : {10'000, 100'000, 1'000'000}) {
    const std::string name = std::string("scale_") + what;
    auto* benchmark = benchmark::RegisterBenchmark(name.c_str(), function)->Arg(members);
    if (manual) benchmark->UseManualTime();
    if (iterations > 0) benchmark->Iterations(iterations);
    benchmark->Unit(benchmark::kMicrosecond);
  }
}

const bool registered = [] {
  sized("start", start, 3, false);
  sized("insert", insert, 1, true);
  sized("counting", counting, 0, false);
  sized("bucket_scan", bucket_scan, 3, true);
  sized("erase", erase, 1, true);
  sized("probe_turns", probe_turns, 2'000'000, false);
  sized("reap_all", reap_all, 1, true);
  sized("churn_1000_a_second", churn, 1, false);
  return true;
}();

}  // namespace
}  // namespace starling::bench
