// Suspicions: the running suspicion of each member (protocol/memberlist section 13).
//
// Keeps start, bounds and accusers, and answers when the suspicion ends; the timer itself is the
// owner's. One record per suspected member, from a pool. Owned by one shard, used by its thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/arena.h"
#include "core/base/hash.h"
#include "core/base/time.h"
#include "core/swim/slot.h"

namespace starling {

struct SuspicionTiming {
  Duration min{}, max{};
  std::uint32_t confirmations_needed = 0;  // k; counts above confirmers_max are cut to it
};

class Suspicions {
 public:
  static constexpr std::uint32_t confirmers_max = 8;

  // `members_max` bounds the slots, and so the suspicions at one time.
  Suspicions(Arena& arena, std::uint32_t members_max);
  static std::size_t footprint(std::uint32_t members_max);

  // Starts a suspicion (none may run for that slot) and returns when it ends: after max, or after
  // min when no confirmations are needed. The accuser counts as heard.
  Instant start(Slot slot, Instant now, SuspicionTiming timing, NameHash accuser);

  // A further accuser. The new end, not before `now` (then it ends now); nothing when the accuser
  // was heard before or enough have been: then the accusation is not gossiped on either.
  std::optional<Instant> confirm(Slot slot, Instant now, NameHash from);

  bool running(Slot slot) const { return record_of_[index_of(slot)] != 0; }
  // Ends a suspicion; no-op when none is running.
  void forget(Slot slot);

  // Only while running.
  Instant started(Slot slot) const { return record(slot).started; }
  std::uint32_t confirmations(Slot slot) const { return record(slot).confirmations; }
  std::uint32_t confirmations_needed(Slot slot) const { return record(slot).confirmations_needed; }
  // When it ends unless somebody else accuses, too; may have passed.
  Instant ends(Slot slot) const;
  // Who has accused, in order. Valid until the suspicions change.
  std::span<const NameHash> accusers(Slot slot) const;

  std::uint32_t size() const { return size_; }

 private:
  struct Record {
    Instant started;
    Duration min, max;
    std::uint32_t confirmations, confirmations_needed;
    std::array<NameHash, 1 + confirmers_max> heard;  // the first started it
    std::uint32_t next_free;
  };
  const Record& record(Slot slot) const;
  Record& record(Slot slot);

  std::span<std::uint32_t> record_of_;  // index + 1; zero = not running
  std::span<Record> records_;
  std::uint32_t free_ = 0;  // index + 1 of the first free record that was used before
  std::uint32_t used_ = 0;  // records ever used
  std::uint32_t size_ = 0;
};

}  // namespace starling
