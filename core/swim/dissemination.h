// Dissemination: updates waiting to be gossiped, memberlist's transmit-limited queue.
//
// protocol/memberlist section 14.4. The problem: give each packet the updates sent least often,
// among them the longest that still fits, among those the newest. The idea: no search tree but one
// list per (transmissions, length), newest first, and per transmission count a bitmap of the
// lengths in use, so that "the longest that fits" is a bit scan. An update goes back into the list
// of the next count in its place by age; updates go back next to each other, so each list remembers
// where the last one went and the place is found at once. Owned by one shard, used by its thread.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <span>

#include "core/base/arena.h"
#include "core/base/slab.h"
#include "core/base/time.h"
#include "wire/base/check.h"
#include "wire/base/types.h"

namespace starling {

// Whom an update is about: a slot number, or a number above all slots that the owner gives another
// meaning (a refutation is named by address, not by member). Of each subject only the newest update
// is kept.
enum class Subject : std::uint32_t {};
constexpr Subject no_subject{0xffff'ffff};  // never replaced

struct DisseminationLimits {
  std::uint32_t updates_max = 0;   // waiting at one time
  std::uint32_t subjects_max = 0;  // subjects are 0 .. subjects_max-1
  std::size_t slab_bytes = 0;      // room for all messages together
  // The longest message; a longer one could not go into any packet and is dropped, counted.
  std::uint32_t message_bytes_max = 1'500;
  // Transmissions after which an update is done whatever the limit says: 8 * ceil(log10(10^8)).
  std::uint32_t transmits_max = 64;
  std::uint32_t tickets_max = 1'024;  // finished tickets kept until drain_finished
};

struct FetchLimits {
  std::size_t overhead = 0;         // bytes that each message costs on top of its own
  std::size_t bytes_max = 0;        // for messages and overheads together
  std::uint32_t transmits_max = 0;  // retransmit_limit() for the cluster as it is now
};

class Dissemination {
 public:
  Dissemination(Arena& arena, const DisseminationLimits& limits);
  static std::size_t footprint(const DisseminationLimits& limits);

  // Queues a copy, replacing an update about the same subject. When full, drops the last in order
  // first (most transmitted, shortest, oldest). A ticket other than 0 is reported as finished once
  // the update has been sent as often as needed, was replaced, or dropped.
  void enqueue(Subject subject, Bytes message, std::uint32_t ticket);

  // Calls take(Bytes) for each message that goes into a packet, in order, at most once per
  // update; the bytes are valid during the call, which must not change the queue. Returns the bytes
  // used, overheads included.
  template <std::invocable<Bytes> Take>
  std::size_t fetch(FetchLimits limits, Take&& take) {
    CHECK(!fetching_);
    fetching_ = true;
    std::size_t used = 0;
    std::uint32_t taken = nil;  // linked by `next`, last one first
    const std::uint32_t tier_end = tiers_used_end_;
    for (std::uint32_t tier = 0; tier < tier_end;) {
      if (limits.bytes_max <= used + limits.overhead) break;
      const std::uint32_t update = longest(tier, limits.bytes_max - used - limits.overhead);
      if (update == nil) {
        ++tier;
        continue;
      }
      unlink(update);
      take(slab_.get(update_at(update).message));
      used += update_at(update).length + limits.overhead;
      if (tier + 1 >= limits.transmits_max || tier + 1 >= transmits_max_) {
        finish(update);
      } else {
        update_at(update).next = taken;
        taken = update;
      }
    }
    put_back(taken);
    fetching_ = false;
    return used;
  }

  // The time that updates are queued at from now on.
  void set_time(Instant now) { now_ms_ = milliseconds_of(now); }
  // For how long the oldest update has waited at the time that was set; zero when there is none.
  // Exact to a millisecond, up to 49 days. A step for each length that is in use.
  Duration oldest_age() const;

  // Drops the last in order until at most `keep` remain.
  void prune(std::uint32_t keep);

  std::uint32_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // The messages waiting, together, without what they cost in a packet.
  std::size_t bytes() const { return bytes_; }
  // Updates dropped because the queue or its slab was full, or the message too long.
  std::uint64_t dropped() const { return dropped_; }
  // Finished tickets that nobody collected in time.
  std::uint64_t tickets_lost() const { return tickets_lost_; }

  // Calls fn(std::uint32_t ticket) for each finished ticket, in order, and forgets them.
  template <std::invocable<std::uint32_t> Fn>
  void drain_finished(Fn&& fn) {
    const std::uint32_t count = finished_count_;
    finished_count_ = 0;
    for (std::uint32_t i = 0; i < count; ++i) fn(finished_[i]);
  }

 private:
  // Numbers of updates are index + 1: zeroed memory is an empty queue.
  static constexpr std::uint32_t nil = 0;

  struct Update {
    std::uint64_t id;  // age: higher is newer
    std::uint32_t next, previous;
    SlabRef message;
    Subject subject;
    std::uint32_t ticket;
    std::uint32_t length;
    std::uint32_t transmits;
    std::uint32_t queued_ms;
  };
  // Updates of one length and one transmission count, newest first.
  struct List {
    std::uint32_t first, last;
    std::uint32_t latest;  // the last one put between others; nil: unknown
  };

  // Wraps around; differences do not mind.
  static std::uint32_t milliseconds_of(Instant now) {
    return static_cast<std::uint32_t>(now.time_since_epoch() / std::chrono::milliseconds(1));
  }
  Update& update_at(std::uint32_t update) { return updates_[update - 1]; }
  const Update& update_at(std::uint32_t update) const { return updates_[update - 1]; }
  std::size_t list_number(std::uint32_t tier, std::size_t length) const {
    return std::size_t{tier} * (message_bytes_max_ + 1) + length;
  }
  List& list_of(std::uint32_t tier, std::uint32_t length) {
    return lists_[list_number(tier, length)];
  }
  // The newest of the longest updates of at most `bytes_max` bytes; nil: none.
  std::uint32_t longest(std::uint32_t tier, std::size_t bytes_max);
  // The last in order.
  std::uint32_t last();
  void link(std::uint32_t update);
  void unlink(std::uint32_t update);
  void put_back(std::uint32_t taken);
  // Frees an unlinked update and reports its ticket.
  void finish(std::uint32_t update);
  void report(std::uint32_t ticket);
  void drop_last();

  std::uint32_t message_bytes_max_;
  std::uint32_t transmits_max_;
  Slab slab_;
  std::span<Update> updates_;
  std::span<std::uint32_t> update_about_;  // by subject
  std::span<List> lists_;                  // by tier, then length
  std::span<std::uint64_t> lengths_;       // by tier: a bit per length in use
  std::span<std::uint32_t> tier_sizes_;
  std::span<std::uint32_t> finished_;
  std::uint32_t finished_count_ = 0;
  std::uint32_t tiers_used_end_ = 0;  // one past the highest tier in use
  std::uint32_t free_ = nil;          // linked by `next`
  std::uint32_t used_ = 0;            // updates ever used
  std::uint32_t size_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t id_next_ = 0;
  std::uint32_t now_ms_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t tickets_lost_ = 0;
  bool fetching_ = false;
};

}  // namespace starling
