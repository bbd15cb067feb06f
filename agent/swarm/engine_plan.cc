#include "agent/swarm/engine_plan.h"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include "agent/swarm/observer.h"
#include "core/base/rng.h"
#include "core/engine/engine.h"

namespace starling::agent::swarm {
namespace {

constexpr std::string_view no_tags = "\xff\x80";
// Members that may be hosted beside an engine's share, and rows beside the swarm's.
constexpr std::uint32_t slack = 64;

// Measured with 16 engines and 10^4 and 10^5 members: the slope, rounded up, and what an engine
// has touched without any members.
constexpr std::uint64_t bytes_a_row = 260;
constexpr std::uint64_t bytes_an_engine = 12u << 20;
// An engine's share of the packets of a ring network, which are there from the start.
constexpr std::uint64_t bytes_of_rings = 13u << 20;
constexpr std::uint64_t bytes_a_hosted_member = 320;

// Building up makes news of everybody, which only crowd the packets: exchanges have brought them
// already. So the queue is short, but has room for all subjects of the largest act.
std::size_t queue_bytes(const SwarmOptions& options) {
  constexpr std::size_t bytes_a_statement = 128;
  constexpr std::size_t statements_min = 1'024;
  constexpr std::size_t statements_max = 65'536;
  std::size_t statements = statements_min;
  for (const Act& act : options.acts) statements = std::max<std::size_t>(statements, act.count);
  return std::min(statements, statements_max) * bytes_a_statement;
}

}  // namespace

EngineOptions engine_options(const SwarmOptions& options, const SwimOptions& swim,
                             const SerfOptions& serf, std::uint32_t index) {
  const Population population(options.members, options.engines);
  EngineOptions engine;
  engine.name = MemberName(population.first_of(index)).text();
  engine.advertise = engine_endpoint(index);
  engine.meta = no_tags;
  // Different engines must not make the same choices.
  engine.seed = options.seed * 1'000'003 + index + 1;
  engine.compress = options.compress;
  engine.traces = Observer::traces;
  engine.swim = swim;
  engine.serf = serf;
  if (options.encrypt) {
    // It protects nothing here; it only has to be the same everywhere.
    std::array<std::byte, 32> key;
    Rng(options.seed).fill(key);
    if (const auto made = AesKey::from(key)) (void)engine.keyring.add(*made);
  }
  CapacityOptions& capacity = engine.capacity;
  capacity.members_max = options.members + slack;
  capacity.hosted_max = population.first_of(index + 1) - population.first_of(index) + slack;
  // One exchange with each neighbour of a round, some fallback pings.
  capacity.streams_max = 16;
  capacity.streams_per_source_max = 16;  // all engines dial from one machine
  capacity.queue_slab_bytes = queue_bytes(options);
  capacity.event_slab_bytes = 1u << 20;
  capacity.event_ring_bytes = 1u << 20;
  capacity.command_ring_bytes = 64u << 10;
  return engine;
}

io::PortOptions port_options(const SwarmOptions& options, const EngineOptions& engine) {
  io::PortOptions ports;
  ports.bind = engine.advertise;
  ports.choice = options.port == SwarmPort::uring ? io::PortChoice::uring : io::PortChoice::sockets;
  ports.packet_room_bytes = engine.packet_room_bytes();
  // All peers are engines with the same room.
  ports.datagram_bytes_max = ports.packet_room_bytes;
  ports.streams_max = engine.capacity.streams_max;
  return ports;
}

std::uint64_t memory_needed(const SwarmOptions& options) {
  const std::uint64_t rows = std::uint64_t{options.members} * options.engines;
  const std::uint64_t rings =
      options.port == SwarmPort::rings ? bytes_of_rings * options.engines : 0;
  return rows * bytes_a_row + rings + std::uint64_t{options.engines} * bytes_an_engine +
         std::uint64_t{options.members} * bytes_a_hosted_member;
}

std::uint64_t memory_available() {
  std::ifstream file("/proc/meminfo");
  std::string word;
  while (file >> word) {
    std::uint64_t kibibytes = 0;
    if (word == "MemAvailable:" && file >> kibibytes) return kibibytes * 1024;
  }
  return 0;
}

std::optional<std::string> memory_problem(const SwarmOptions& options, std::uint64_t available) {
  const bool given = options.memory_bytes_max > 0;
  if (!given && available == 0) return std::nullopt;
  const std::uint64_t limit = given ? options.memory_bytes_max : available / 10 * 9;
  const std::uint64_t needed = memory_needed(options);
  if (needed <= limit) return std::nullopt;
  const auto gib = [](std::uint64_t bytes) { return static_cast<double>(bytes) / (1u << 30); };
  return fmt::format(
      "{} members on {} engines need about {:.1f} GiB ({} bytes for each member in each engine's "
      "table); {} {:.1f} GiB. Fewer engines need less.",
      options.members, options.engines, gib(needed), bytes_a_row,
      given ? "-limit-memory allows" : "nine tenths of what is free are", gib(limit));
}

}  // namespace starling::agent::swarm
