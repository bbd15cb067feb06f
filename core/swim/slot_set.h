// SlotSet: which slots are taken, answering "the lowest free one" in a few steps.
//
// A bit per slot, and above it, level by level, a bit per word that is full. Owned by a
// MemberTable.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "core/base/arena.h"
#include "core/swim/slot.h"

namespace starling {

class SlotSet {
 public:
  SlotSet(Arena& arena, std::uint32_t slots_max) : slots_max_(slots_max) {
    std::uint32_t bits = slots_max;
    for (std::span<std::uint64_t>& level : levels_) {
      bits = words_for(bits);
      level = arena.make<std::uint64_t>(bits);
    }
  }
  static std::size_t footprint(std::uint32_t slots_max) {
    Footprint sum;
    std::uint32_t bits = slots_max;
    for (std::size_t level = 0; level < depth; ++level) {
      bits = words_for(bits);
      sum.make<std::uint64_t>(bits);
    }
    return sum.total();
  }

  bool contains(Slot slot) const {
    return slot != no_slot && to_number(slot) < slots_max_ &&
           (levels_[0][index_of(slot) / 64] >> (index_of(slot) % 64) & 1) != 0;
  }

  // no_slot when all are taken.
  Slot lowest_free() const {
    std::size_t at = 0;
    for (std::size_t level = depth; level-- > 0;) {
      // At the top the words are scanned: one for every 2^30 slots.
      while (level + 1 == depth && at < levels_[level].size() && levels_[level][at] == ~0ull) ++at;
      if (at >= levels_[level].size()) return no_slot;
      const auto bit = static_cast<std::size_t>(std::countr_one(levels_[level][at]));
      if (bit == 64) return no_slot;
      at = at * 64 + bit;
    }
    return at < slots_max_ ? Slot{static_cast<std::uint32_t>(at)} : no_slot;
  }

  void insert(Slot slot) {
    std::size_t at = index_of(slot);
    for (std::span<std::uint64_t>& level : levels_) {
      level[at / 64] |= 1ull << (at % 64);
      if (level[at / 64] != ~0ull) return;
      at /= 64;
    }
  }
  void erase(Slot slot) {
    std::size_t at = index_of(slot);
    for (std::span<std::uint64_t>& level : levels_) {
      const bool was_full = level[at / 64] == ~0ull;
      level[at / 64] &= ~(1ull << (at % 64));
      if (!was_full) return;
      at /= 64;
    }
  }

 private:
  static constexpr std::size_t depth = 5;
  static constexpr std::uint32_t words_for(std::uint32_t bits) { return bits / 64 + 1; }

  std::array<std::span<std::uint64_t>, depth> levels_;
  std::uint32_t slots_max_;
};

}  // namespace starling
