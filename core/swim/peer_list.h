// PeerList: memberlist's node list, the order in which members are probed and drawn.
//
// protocol/memberlist sections 9, 11.1 and 11.3. A dense array of slots. A round of probes gives
// each member its turn once, in an order that is drawn anew each round; new members enter at a
// random place. memberlist shuffles the list and drops the dead from it whenever a round ends,
// which would stop a lane for as long as it takes to walk a million members. The idea: a shuffle is
// a sequence of draws, and each turn makes its own (a step of Fisher and Yates), so the orders are
// as likely as after a shuffle; and dropping goes over the list in portions. The front of the array
// holds those who had their turn in this round. Owned by one shard, used by its thread.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "core/base/arena.h"
#include "core/base/rng.h"
#include "core/swim/slot.h"
#include "wire/base/check.h"

namespace starling {

class PeerList {
 public:
  // The most members that one sample may ask for.
  static constexpr std::size_t sample_max = 64;

  PeerList(Arena& arena, std::uint32_t members_max);
  static std::size_t footprint(std::uint32_t members_max);

  // Appends, then swaps with a uniformly chosen earlier place. The slot must not be in the list.
  void insert(Rng& rng, Slot slot);

  std::uint32_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Slot at(std::uint32_t index) const {
    DCHECK(index < size_);
    return slots_[index];
  }
  std::span<const Slot> all() const { return slots_.first(size_); }

  // Whose turn it is: the next member, drawn among those without a turn in this round, for which
  // skip(slot) (us, dead, left) does not hold; nothing when none was found among checks_max members
  // or in a whole round: then the next call goes on. At the end of a round calls on_wrap(), which
  // may sweep the list; that counts as a check.
  template <std::predicate<Slot> Skip, std::invocable<> OnWrap>
  std::optional<Slot> next(Rng& rng, Skip&& skip, OnWrap&& on_wrap) {
    for (std::uint32_t checked = 0; checked < size_ && checked < checks_max; ++checked) {
      if (turns_had_ >= size_) {
        turns_had_ = 0;
        on_wrap();
        continue;
      }
      std::swap(slots_[turns_had_], slots_[turns_had_ + rng.below(size_ - turns_had_)]);
      const Slot slot = slots_[turns_had_++];
      if (!skip(slot)) return slot;
    }
    return std::nullopt;
  }
  // A bound on one call while nearly everybody is dead: some tens of microseconds.
  static constexpr std::uint32_t checks_max = 4096;
  // How many had their turn in this round.
  std::uint32_t turns_had() const { return turns_had_; }

  // Begins to go over the whole list; what was left of an earlier sweep is forgotten.
  void start_sweep() { unswept_ = size_; }
  bool sweeping() const { return unswept_ > 0; }
  // Goes on with at most `budget` members and removes those for which gone(slot) holds; returns how
  // many. Nobody else's turn is lost or doubled by it. A member that changed its place since the
  // sweep began (entering members and turns do that) may be left for the next one.
  template <std::predicate<Slot> Gone>
  std::uint32_t sweep(std::uint32_t budget, Gone&& gone) {
    const std::uint32_t before = size_;
    for (; budget > 0 && unswept_ > 0; --budget) {
      --unswept_;
      if (gone(slots_[unswept_])) remove(unswept_);
    }
    return before - size_;
  }

  // Fills `out` with distinct random members for which excluded(slot) does not hold; returns how
  // many there are, possibly fewer than asked for. A list shorter than three times the wish is
  // shuffled (a copy); a longer one is drawn from at most 3 * size() times, and draws_max times
  // at most: while one in a thousand is acceptable, fewer than one sample in a million comes back
  // empty for it.
  template <std::predicate<Slot> Excluded>
  std::size_t sample(Rng& rng, std::span<Slot> out, Excluded&& excluded) const {
    CHECK(out.size() <= sample_max);
    if (size_ < 3 * out.size()) return sample_short(rng, out, excluded);

    std::size_t found = 0;
    const std::uint64_t draws = std::min<std::uint64_t>(std::uint64_t{3} * size_, draws_max);
    for (std::uint64_t draw = 0; draw < draws && found < out.size(); ++draw) {
      const Slot slot = slots_[rng.below(size_)];
      if (excluded(slot) || contains(out.first(found), slot)) continue;
      out[found++] = slot;
    }
    return found;
  }

  static constexpr std::uint32_t draws_max = 16'384;

 private:
  // Fills the hole so that the members with and without a turn in this round stay apart.
  void remove(std::uint32_t hole) {
    if (hole < turns_had_) {
      slots_[hole] = slots_[--turns_had_];
      hole = turns_had_;
    }
    slots_[hole] = slots_[--size_];
  }
  template <class Excluded>
  std::size_t sample_short(Rng& rng, std::span<Slot> out, Excluded& excluded) const {
    std::array<Slot, 3 * sample_max> copy;
    for (std::uint32_t i = 0; i < size_; ++i) copy[i] = slots_[i];
    rng.shuffle(std::span(copy).first(size_));
    std::size_t found = 0;
    for (std::uint32_t i = 0; i < size_ && found < out.size(); ++i) {
      if (!excluded(copy[i])) out[found++] = copy[i];
    }
    return found;
  }
  static bool contains(std::span<const Slot> slots, Slot wanted) {
    for (const Slot slot : slots) {
      if (slot == wanted) return true;
    }
    return false;
  }

  std::span<Slot> slots_;
  std::uint32_t size_ = 0;
  std::uint32_t turns_had_ = 0;
  std::uint32_t unswept_ = 0;  // the places before this one are still to be swept
};

}  // namespace starling
