// RecentTargets: the members that gossip went to last.
//
// memberlist draws the members of each gossip round anew, so in a small cluster the second round
// often goes to those that the first one reached: of six members that send an update four times
// each, about one in three hundred updates misses somebody. A round that goes first to others
// reaches more members with the same packets. Beyond some tens of members it makes no difference.
// Owned by one shard, used by its thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "core/swim/slot.h"

namespace starling {

class RecentTargets {
 public:
  static constexpr std::size_t slots_max = 16;

  // Forgets all but the last `count` targets.
  void keep(std::size_t count) { count_ = std::min({count_, count, slots_max}); }
  void add(Slot slot) {
    last_ = (last_ + 1) % slots_max;
    slots_[last_] = slot;
    count_ = std::min(count_ + 1, slots_max);
  }

  std::size_t size() const { return count_; }
  // The target `back` targets ago, 0 the last one.
  Slot at(std::size_t back) const { return slots_[(last_ + slots_max - back) % slots_max]; }
  bool contains(Slot slot) const {
    for (std::size_t back = 0; back < count_; ++back) {
      if (at(back) == slot) return true;
    }
    return false;
  }

 private:
  std::array<Slot, slots_max> slots_{};
  std::size_t last_ = 0, count_ = 0;
};

}  // namespace starling
