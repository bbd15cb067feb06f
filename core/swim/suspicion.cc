#include "core/swim/suspicion.h"

#include <algorithm>

#include "core/swim/scaling.h"
#include "wire/base/check.h"

namespace starling {

Suspicions::Suspicions(Arena& arena, std::uint32_t members_max)
    : record_of_(arena.make<std::uint32_t>(members_max)),
      records_(arena.make_zeroed<Record>(members_max)) {}

std::size_t Suspicions::footprint(std::uint32_t members_max) {
  Footprint sum;
  sum.make<std::uint32_t>(members_max);
  sum.make_zeroed<Record>(members_max);
  return sum.total();
}

Instant Suspicions::start(Slot slot, Instant now, SuspicionTiming timing, NameHash accuser) {
  CHECK(!running(slot));
  std::uint32_t number = free_;
  if (number != 0) {
    free_ = records_[number - 1].next_free;
  } else {
    CHECK(used_ < records_.size());
    number = ++used_;
  }
  record_of_[index_of(slot)] = number;
  ++size_;

  Record& suspicion = records_[number - 1];
  suspicion.started = now;
  suspicion.min = timing.min;
  suspicion.max = timing.max;
  suspicion.confirmations = 0;
  suspicion.confirmations_needed = std::min(timing.confirmations_needed, confirmers_max);
  suspicion.heard[0] = accuser;
  return now + (suspicion.confirmations_needed == 0 ? timing.min : timing.max);
}

std::optional<Instant> Suspicions::confirm(Slot slot, Instant now, NameHash from) {
  Record& suspicion = record(slot);
  if (suspicion.confirmations >= suspicion.confirmations_needed) return std::nullopt;
  const auto heard_end = suspicion.heard.begin() + 1 + suspicion.confirmations;
  if (std::find(suspicion.heard.begin(), heard_end, from) != heard_end) return std::nullopt;

  *heard_end = from;
  ++suspicion.confirmations;
  const Duration remaining =
      suspicion_remaining({.confirmations = suspicion.confirmations,
                           .confirmations_needed = suspicion.confirmations_needed,
                           .elapsed = now - suspicion.started,
                           .min = suspicion.min,
                           .max = suspicion.max});
  return now + std::max(remaining, Duration{0});
}

Instant Suspicions::ends(Slot slot) const {
  const Record& suspicion = record(slot);
  if (suspicion.confirmations_needed == 0) return suspicion.started + suspicion.min;
  return suspicion.started +
         suspicion_remaining({.confirmations = suspicion.confirmations,
                              .confirmations_needed = suspicion.confirmations_needed,
                              .elapsed = {},
                              .min = suspicion.min,
                              .max = suspicion.max});
}

std::span<const NameHash> Suspicions::accusers(Slot slot) const {
  const Record& suspicion = record(slot);
  return std::span(suspicion.heard).first(1 + suspicion.confirmations);
}

void Suspicions::forget(Slot slot) {
  std::uint32_t& number = record_of_[index_of(slot)];
  if (number == 0) return;
  records_[number - 1].next_free = free_;
  free_ = number;
  number = 0;
  --size_;
}

const Suspicions::Record& Suspicions::record(Slot slot) const {
  CHECK(running(slot));
  return records_[record_of_[index_of(slot)] - 1];
}
Suspicions::Record& Suspicions::record(Slot slot) {
  CHECK(running(slot));
  return records_[record_of_[index_of(slot)] - 1];
}

}  // namespace starling
