// LeftListed: names that a push/pull state lists as left and that have no row here.
//
// Serf's states name the left before they give the status times, so a merge has to remember them
// for a moment. A small table without chains; what finds no place is forgotten, and its member
// counts as joined until its own leave intent arrives. Owned by a Node.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/hash.h"

namespace starling {

class LeftListed {
 public:
  static constexpr std::size_t places = 4096;

  // `merge`: the number of the merge, never 0. Entries of other merges make room.
  void add(std::uint32_t merge, NameHash hash) {
    for (std::size_t step = 0; step < steps_max; ++step) {
      Entry& entry = at(hash, step);
      if (entry.merge == merge && entry.hash != hash) continue;
      entry = {hash, merge};
      return;
    }
  }
  bool contains(std::uint32_t merge, NameHash hash) const {
    for (std::size_t step = 0; step < steps_max; ++step) {
      const Entry& entry = const_cast<LeftListed*>(this)->at(hash, step);
      if (entry.merge == merge && entry.hash == hash) return true;
    }
    return false;
  }

 private:
  static constexpr std::size_t steps_max = 8;
  struct Entry {
    NameHash hash{};
    std::uint32_t merge = 0;
  };
  Entry& at(NameHash hash, std::size_t step) {
    return entries_[(static_cast<std::size_t>(to_number(hash)) + step) % places];
  }
  std::array<Entry, places> entries_{};
};

}  // namespace starling
