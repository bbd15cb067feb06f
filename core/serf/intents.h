// Join and leave intents heard about names that are not members yet.
//
// protocol/serf section 6 (recent_intents). Gossip does not keep order: an intent may overtake the
// alive message of its member. One entry per name, the newest by Lamport time; using an entry does
// not remove it, it expires. Owned by the shard that owns the name's bucket, called on its lane.
//
// Bound: `intents_max` entries, from options; when full, the entry heard longest ago goes
// (counted). Cost: O(1) per call, `expire` per expired entry.
#pragma once

#include <optional>
#include <span>

#include "core/base/arena.h"
#include "core/base/hash.h"
#include "core/base/time.h"
#include "core/serf/status_rules.h"
#include "wire/base/types.h"

namespace starling {

struct RecentIntent {
  IntentKind kind = IntentKind::join;
  LamportTime time{};
  friend bool operator==(const RecentIntent&, const RecentIntent&) = default;
};

class RecentIntents {
 public:
  // Intents older than this are dropped by the reaper (protocol/serf section 8).
  static constexpr Duration age_max = std::chrono::minutes(5);

  RecentIntents(Arena& arena, std::uint32_t intents_max);
  static std::size_t footprint(std::uint32_t intents_max);

  // True iff it was stored: nothing was known of the name, or only something older. `now` must not
  // go back between calls.
  bool upsert(NameHash name, IntentKind kind, LamportTime time, Instant now);

  std::optional<RecentIntent> find(NameHash name) const;
  // The time of the name's entry if it is of this kind.
  std::optional<LamportTime> find(NameHash name, IntentKind kind) const;

  // Drops the entries heard more than `age` ago; how many.
  std::uint32_t expire(Instant now, Duration age);

  std::uint32_t size() const { return size_; }
  std::uint64_t evictions() const { return evictions_; }

 private:
  static constexpr std::uint32_t nothing = UINT32_MAX;
  struct Entry {
    NameHash name;
    LamportTime time;
    Instant heard;
    std::uint32_t newer, older;  // a list by `heard`; free entries are linked by `newer`
    IntentKind kind;
  };

  std::uint32_t home(NameHash name) const;
  std::uint32_t position_of(NameHash name) const;  // in index_: the entry's, or the free place
  void unlink(std::uint32_t entry);
  void link_newest(std::uint32_t entry);
  void remove(std::uint32_t entry);

  std::span<Entry> entries_;
  std::span<std::uint32_t> index_;  // open addressing, at most half full; entry number + 1
  std::uint32_t mask_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t free_ = nothing;
  std::uint32_t oldest_ = nothing, newest_ = nothing;
  std::uint64_t evictions_ = 0;
};

}  // namespace starling
