#include "core/serf/query_buffer.h"

#include <algorithm>

#include "wire/base/check.h"

namespace starling {

std::size_t QueryBuffer::footprint(QueryBufferLimits limits) {
  Footprint footprint;
  footprint.make_zeroed<RingSlot>(limits.slots);
  footprint.make<std::uint32_t>(std::size_t{limits.slots} * limits.ids_per_slot_max);
  return footprint.total();
}

QueryBuffer::QueryBuffer(Arena& arena, QueryBufferLimits limits)
    : ids_per_slot_max_(limits.ids_per_slot_max), clock_(LamportTime{1}) {
  CHECK(limits.slots > 0 && limits.ids_per_slot_max > 0);
  slots_ = arena.make_zeroed<RingSlot>(limits.slots);
  ids_ = arena.make<std::uint32_t>(std::size_t{limits.slots} * limits.ids_per_slot_max);
}

QueryBuffer::Verdict QueryBuffer::accept(LamportTime time, std::uint32_t id) {
  clock_.witness(time);
  if (time < minimum_) return Verdict::before_minimum;
  const std::uint64_t now = to_number(clock_.time());
  if (now > slots_.size() && to_number(time) < now - slots_.size()) return Verdict::too_old;

  const std::size_t at = to_number(time) % slots_.size();
  RingSlot& slot = slots_[at];
  // At the end of time the clock stands still and two times could take turns in one slot.
  if (slot.count > 0 && time < slot.time) return Verdict::too_old;
  if (slot.time != time) slot.count = 0;

  const std::span<std::uint32_t> ids = ids_.subspan(at * ids_per_slot_max_, ids_per_slot_max_);
  const std::span<std::uint32_t> seen = ids.first(slot.count);
  if (std::find(seen.begin(), seen.end(), id) != seen.end()) return Verdict::duplicate;
  if (slot.count == ids.size()) return Verdict::full;
  slot.time = time;
  ids[slot.count++] = id;
  return Verdict::fresh;
}

void QueryBuffer::raise_minimum(LamportTime minimum) {
  if (minimum_ < minimum) minimum_ = minimum;
}

}  // namespace starling
