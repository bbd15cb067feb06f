// PeerList: memberlist's node list, the order in which members are probed and drawn.
//
// protocol/memberlist sections 9, 11.1 and 11.3. A dense array of slots: new members enter at a
// random place, a round of probes walks it once, and each wrap shuffles it. Owned by one shard,
// used by its thread.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>

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

  void shuffle(Rng& rng) { rng.shuffle(slots_.first(size_)); }

  // Removes all slots for which gone(slot) holds, keeping the order of the rest; returns how many.
  template <std::predicate<Slot> Gone>
  std::uint32_t remove_if(Gone&& gone) {
    std::uint32_t kept = 0;
    for (std::uint32_t i = 0; i < size_; ++i) {
      const Slot slot = slots_[i];
      if (!gone(slot)) slots_[kept++] = slot;
    }
    const std::uint32_t removed = size_ - kept;
    size_ = kept;
    return removed;
  }

  // Fills `out` with distinct random members for which excluded(slot) does not hold; returns how
  // many there are, possibly fewer than asked for. A list shorter than three times the wish is
  // shuffled (a copy); a longer one is drawn from at most 3 * size() times.
  template <std::predicate<Slot> Excluded>
  std::size_t sample(Rng& rng, std::span<Slot> out, Excluded&& excluded) const {
    CHECK(out.size() <= sample_max);
    if (size_ < 3 * out.size()) return sample_short(rng, out, excluded);

    std::size_t found = 0;
    const std::uint64_t draws_max = std::uint64_t{3} * size_;
    for (std::uint64_t draw = 0; draw < draws_max && found < out.size(); ++draw) {
      const Slot slot = slots_[rng.below(size_)];
      if (excluded(slot) || contains(out.first(found), slot)) continue;
      out[found++] = slot;
    }
    return found;
  }

 private:
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
};

// The cursor of section 11.1: whom to probe next.
class ProbeWalk {
 public:
  // The next member for which skip(slot) (us, dead, left) does not hold; nothing when a whole round
  // found none. At the end of the list calls on_wrap(), which reaps and shuffles the list.
  template <std::predicate<Slot> Skip, std::invocable<> OnWrap>
  std::optional<Slot> next(const PeerList& peers, Skip&& skip, OnWrap&& on_wrap) {
    for (std::uint32_t checked = 0; checked < peers.size(); ++checked) {
      if (index_ >= peers.size()) {
        on_wrap();
        index_ = 0;
        continue;
      }
      const Slot slot = peers.at(index_++);
      if (!skip(slot)) return slot;
    }
    return std::nullopt;
  }
  std::uint32_t index() const { return index_; }

 private:
  std::uint32_t index_ = 0;
};

}  // namespace starling
