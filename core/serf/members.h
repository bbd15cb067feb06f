// Serf's view of the members: status, status time and how long gone, by slot of the member table.
//
// protocol/serf sections 6 and 8. memberlist's table says who can be reached; this says what Serf
// reports: alive, leaving, left or failed. Decisions are in status_rules.h; here they meet the
// columns, the lists of failed and left members, and the counters. Every call returns an Outcome
// that the shard acts on. Owned by the shard that owns the slots, called on its lane.
//
// Bound: `members_max` rows, taken from the arena at construction. Every call is O(1); `reap` is
// O(budget). The name, address, tags and versions stay in the member table. A member that is alive
// costs 9 bytes: the other columns are written only for who leaves, has left or has failed.
#pragma once

#include <array>
#include <concepts>
#include <optional>
#include <span>

#include "core/base/arena.h"
#include "core/base/instant_column.h"
#include "core/base/rng.h"
#include "core/base/time.h"
#include "core/serf/intents.h"
#include "core/serf/status_rules.h"
#include "core/swim/slot.h"
#include "wire/base/types.h"

namespace starling {

// What the shard has to do after a call.
struct Outcome {
  std::optional<MemberEventKind> event;  // report it
  bool rebroadcast = false;              // queue the received bytes unchanged
  bool refute = false;                   // broadcast a join intent stamped with the member clock
  bool erase = false;                    // report member-reap, then call erase()
  bool erase_after_delay = false;        // arm a timer of 6 s, then act if prune_due()
  bool flap = false;                     // count: back within the flap timeout
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

class SerfMembers {
 public:
  // A member that returns sooner than `flap_timeout` after it failed counts as flapping.
  SerfMembers(Arena& arena, std::uint32_t members_max,
              Duration flap_timeout = std::chrono::seconds(60));
  static std::size_t footprint(std::uint32_t members_max);

  // memberlist reports the member alive. `recent` is RecentIntents::find() of its name; it matters
  // only if the slot holds no Serf member yet.
  Outcome joined(Slot slot, Instant now, std::optional<RecentIntent> recent = std::nullopt);

  // memberlist reports the member dead or left.
  Outcome gone(Slot slot, Instant now);

  // memberlist reports changed metadata: an event, if the slot holds a member.
  Outcome updated(Slot slot) const;

  struct LeaveOptions {
    bool is_self = false;
    bool self_alive = false;  // we are neither leaving nor left: statements that we are get refuted
    bool prune = false;
  };
  // The slot must hold a member; for unknown names use RecentIntents.
  Outcome leave_intent(Slot slot, LamportTime time, LeaveOptions options);
  Outcome join_intent(Slot slot, LamportTime time);

  // For the timer of erase_after_delay: true if the member is still leaving or has left, so the
  // shard reports member-reap and calls erase(). It is false when the member came back.
  bool prune_due(Slot slot) const;

  // Forgets the member: status none, off the lists.
  void erase(Slot slot);

  // Goes on with a sweep over the failed and left lists and erases members gone for longer than
  // their timeout. Looks at no more than `budget` members. For each: on_reap(Slot) while the row is
  // still there, then erase(). True when the sweep has reached the end; the next call starts anew.
  struct ReapTimeouts {
    Duration reconnect;  // failed members
    Duration tombstone;  // left members
  };
  template <std::invocable<Slot> OnReap>
  bool reap(Instant now, ReapTimeouts timeouts, std::uint32_t budget, OnReap&& on_reap);

  // One failed member to try again, with probability min(1, failed / max(1, others)); section 8.
  std::optional<Slot> reconnect_candidate(Rng& rng) const;

  bool contains(Slot slot) const { return status(slot) != MemberStatus::none; }
  MemberStatus status(Slot slot) const {
    return static_cast<MemberStatus>(status_[index_of(slot)] & status_bits);
  }
  LamportTime status_time(Slot slot) const { return status_time_[index_of(slot)]; }
  // A member says since now that it leaves; kept where gone_since goes once it has.
  void set_leaving_since(Slot slot, Instant now) { gone_since_.set(index_of(slot), now); }
  // A member that wanted to leave did not: alive again, without an event.
  void stayed(Slot slot);

  // Since when a failed or left member is gone, or a leaving one leaves, rounded as InstantColumn
  // says; meaningless for others.
  Instant gone_since(Slot slot) const { return gone_since_.at(index_of(slot)); }

  // In no particular order; valid until the next change.
  std::span<const Slot> failed() const { return list(failed_list); }
  std::span<const Slot> left() const { return list(left_list); }
  std::span<const Slot> leaving() const { return list(leaving_list); }

  struct Counts {
    std::uint32_t total = 0;  // every status but none
    std::uint32_t alive = 0;  // alive or leaving: still reachable
    std::uint32_t leaving = 0;
    std::uint32_t failed = 0;
    std::uint32_t left = 0;
  };
  Counts counts() const;

  // What one member that is alive has touched of the columns.
  static constexpr std::size_t alive_row_bytes = sizeof(std::uint8_t) + sizeof(LamportTime);

 private:
  static constexpr std::size_t failed_list = 0, left_list = 1, leaving_list = 2;
  struct List {
    std::span<Slot> slots;
    std::uint32_t size = 0;
    std::uint32_t swept = 0;  // how far the current reap sweep got
  };

  std::span<const Slot> list(std::size_t which) const {
    return std::span<const Slot>(lists_[which].slots).first(lists_[which].size);
  }
  Outcome apply(Slot slot, const Transition& transition, Instant now);
  void set_status(Slot slot, MemberStatus status);
  void set_prune_pending(Slot slot, bool pending);
  void list_add(std::size_t which, Slot slot);
  void list_remove(std::size_t which, Slot slot);
  // The list in which members of this status are.
  static std::optional<std::size_t> list_of(MemberStatus status);

  static constexpr std::uint8_t status_bits = 0x7f, prune_bit = 0x80;
  std::span<std::uint8_t> status_;  // MemberStatus, and prune_bit while a prune waits
  std::span<LamportTime> status_time_;
  InstantColumn gone_since_;
  std::span<std::uint32_t> position_;  // in its list, for members in one
  std::array<List, 3> lists_;
  Duration flap_timeout_;
  std::uint32_t total_ = 0;
};

template <std::invocable<Slot> OnReap>
bool SerfMembers::reap(Instant now, ReapTimeouts timeouts, std::uint32_t budget, OnReap&& on_reap) {
  for (const std::size_t which : {failed_list, left_list}) {
    List& list = lists_[which];
    const Duration timeout = which == failed_list ? timeouts.reconnect : timeouts.tombstone;
    while (list.swept < list.size) {
      if (budget == 0) return false;
      --budget;
      const Slot slot = list.slots[list.swept];
      if (now - gone_since(slot) <= timeout) {
        ++list.swept;
        continue;
      }
      on_reap(slot);
      // Another member takes the erased one's place in the list, so `swept` stays.
      if (contains(slot)) erase(slot);
    }
  }
  for (const std::size_t which : {failed_list, left_list}) lists_[which].swept = 0;
  return true;
}

}  // namespace starling
