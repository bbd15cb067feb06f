#include "core/engine/memory_budget.h"

#include "core/engine/engine.h"
#include "core/shard/node.h"

namespace starling {

namespace {
constexpr std::size_t name_bytes_usual = 16;
}  // namespace

std::size_t MemoryBudget::reserved_bytes() const {
  std::size_t sum = 0;
  for (const MemoryPart& part : parts) sum += part.reserved_bytes;
  return sum;
}

std::size_t MemoryBudget::row_bytes_reserved() const {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < row_parts; ++i) sum += parts[i].reserved_bytes;
  return sum;
}

std::size_t MemoryBudget::member_bytes() const {
  std::size_t sum = 0;
  for (const MemoryPart& part : parts) sum += part.member_bytes;
  return sum;
}

MemoryBudget budget_of(const EngineOptions& options) {
  const CapacityOptions& capacity = options.capacity;
  const std::uint32_t members = capacity.members_max;
  const std::size_t table = MemberTable::footprint(members, capacity.slab_bytes());
  const std::size_t slab = capacity.slab_bytes();
  Footprint reports;
  reports.make<std::uint8_t>(members);
  reports.make<Slot>(members);

  MemoryBudget budget;
  budget.parts = {{
      {"member rows", table - slab, MemberTable::row_bytes},
      {"names and metadata", slab, Slab::block_bytes(name_bytes_usual)},
      {"probe order", PeerList::footprint(members), sizeof(Slot)},
      {"Serf's view", SerfMembers::footprint(members), SerfMembers::alive_row_bytes},
      {"suspicions", Suspicions::footprint(members), 0},
      {"timers", TimerWheel::footprint(TimerRanges(capacity).end), 0},
      {"reports to the owner", reports.total(), 0},
      {"stream sessions", Sessions::footprint(options), 0},
      {"rings",
       ring_footprint(capacity.event_ring_bytes) + ring_footprint(capacity.command_ring_bytes), 0},
      // By member only which update is about it, and in which push/pull it was listed as left.
      {"queues, events, packets", 0, sizeof(std::uint32_t)},
  }};
  budget.parts.back().reserved_bytes = Engine::footprint(options) - budget.reserved_bytes();
  return budget;
}

}  // namespace starling
