// TimerWheel: many timers by number, armed and cancelled in constant time.
//
// Four levels of 256 slots with ticks of 1 ms cover 49.7 days; what is due later waits in a list
// of its own. A timer sits at the level of the highest byte in which its tick differs from the
// current tick, so all timers of one tick are in one list at any time and fire in the order in
// which they were armed: simulation depends on it. A timer never fires early: a due time inside a
// millisecond counts as the end of it. Owned by one shard; no callbacks are stored.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <span>

#include "core/base/arena.h"
#include "core/base/time.h"
#include "wire/base/check.h"

namespace starling {

// 0 .. timers_max-1; the owner decides what each number stands for.
enum class TimerId : std::uint32_t {};

class TimerWheel {
 public:
  // `start` is tick 0. Unused timers cost address space, not memory.
  TimerWheel(Arena& arena, std::uint32_t timers_max, Instant start);
  static std::size_t footprint(std::uint32_t timers_max);

  // Re-arming moves the timer behind those already armed for that tick. A due time in the past
  // counts as the current tick; armed from within on_fire it fires in the next advance.
  void arm(TimerId id, Instant due);
  void cancel(TimerId id);  // no-op when not armed
  bool armed(TimerId id) const { return nodes_[node_of(id)].next != nil; }
  // When an armed timer fires: its due time rounded up to the tick.
  Instant due(TimerId id) const;

  // When to call advance again: exact when the next timer is due within the current 256 ms,
  // otherwise a time not later than that, at which advance sorts timers more finely. A time not
  // after `now` when an advance was stopped. Instant::max() when nothing is armed.
  Instant next_due() const;
  std::uint32_t armed_count() const { return armed_count_; }

  // Fires what is due by `now`, in order of due tick, then of arming. on_fire may arm and cancel
  // any timer and returns false to stop: the rest stays due. Returns false when stopped.
  template <std::predicate<TimerId> OnFire>
  bool advance(Instant now, OnFire&& on_fire) {
    const std::uint64_t target = std::max(tick_before(now), current_);
    splice(ready_head, firing_head);
    while (true) {
      while (nodes_[firing_head].next != firing_head) {
        const std::uint32_t node = nodes_[firing_head].next;
        unlink(node);
        if (!on_fire(TimerId{node - timers_first})) {
          // What was armed meanwhile comes after what is still due.
          splice(ready_head, firing_head);
          splice(firing_head, ready_head);
          return false;
        }
      }
      if (!step(target)) return true;
    }
  }

 private:
  struct Node {
    std::uint32_t next, previous;  // circular lists; nil = not armed
    std::uint64_t tick;
  };

  static constexpr std::uint32_t levels = 4;
  static constexpr std::uint32_t slots = 256;
  // Node numbers. Zero is nil, so zeroed memory is a wheel of unarmed timers.
  static constexpr std::uint32_t nil = 0;
  static constexpr std::uint32_t slot_heads = 1;  // levels * slots of them
  static constexpr std::uint32_t far_head = slot_heads + levels * slots;
  static constexpr std::uint32_t ready_head = far_head + 1;     // due, for the next advance
  static constexpr std::uint32_t firing_head = ready_head + 1;  // due, in this advance
  static constexpr std::uint32_t timers_first = firing_head + 1;

  std::uint32_t node_of(TimerId id) const {
    const auto number = static_cast<std::uint32_t>(id);
    DCHECK(number < timers_max_);
    return timers_first + number;
  }
  std::uint64_t tick_after(Instant due) const;   // rounded up
  std::uint64_t tick_before(Instant now) const;  // rounded down
  Instant instant_of(std::uint64_t tick) const;

  // The list for a timer of this tick; `due_head` when the tick has come.
  std::uint32_t head_for(std::uint64_t tick, std::uint32_t due_head) const;
  void append(std::uint32_t head, std::uint32_t node);
  void detach(std::uint32_t node);
  void unlink(std::uint32_t node);  // detach, and the timer is no longer armed
  void splice(std::uint32_t from, std::uint32_t to);
  void mark(std::uint32_t head);
  // The next tick at which a slot is due or must be sorted, and that slot. False: none.
  bool next_event(std::uint64_t& tick, std::uint32_t& head) const;
  // Moves to the next such tick up to `target`; false when there is none: then current = target.
  bool step(std::uint64_t target);

  std::span<Node> nodes_;
  std::array<std::array<std::uint64_t, slots / 64>, levels> occupied_{};
  std::uint64_t current_ = 0;  // every earlier tick is done; timers of this one go to ready
  Instant start_;
  std::uint64_t tick_max_;
  std::uint32_t timers_max_;
  std::uint32_t armed_count_ = 0;
};

}  // namespace starling
