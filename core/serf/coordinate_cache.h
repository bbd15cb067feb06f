// CoordinateCache: the last coordinate of each peer that was probed of late, by its name's hash.
//
// A coordinate with its latency filter is larger than a member's whole row, so a large cluster
// keeps only the peers probed most recently: a full cache gives the place of the one that was
// touched longest ago. Names themselves are not kept: who constructs a name whose 64-bit hash
// equals another's can show a wrong estimate, nothing more. Owned by a Node's front lane; one
// thread. Memory from the arena, untouched until it is needed; every call is O(1).
#pragma once

#include <span>

#include "core/base/arena.h"
#include "core/base/hash.h"
#include "core/serf/coordinate.h"

namespace starling {

class CoordinateCache {
 public:
  struct Entry {
    Coordinate coordinate;
    LatencyFilter filter;
  };

  // `entries_max` must be positive.
  CoordinateCache(Arena& arena, std::uint32_t entries_max);
  static std::size_t footprint(std::uint32_t entries_max);

  // nullptr when there is none. Valid until the next touch() or forget().
  const Entry* find(NameHash hash) const;
  // The entry, from now on the most recent one. A new one has an empty filter.
  Entry& touch(NameHash hash);
  void forget(NameHash hash);

  std::uint32_t size() const { return size_; }

 private:
  // Places are numbered from 1; 0 is nobody.
  using Number = std::uint32_t;
  struct Place {
    NameHash hash;
    Entry entry;
    Number older, newer;  // of a free place: `older` is the next free one
  };

  Place& at(Number number) { return places_[number - 1]; }
  const Place& at(Number number) const { return places_[number - 1]; }
  std::size_t home(NameHash hash) const {
    return static_cast<std::size_t>(to_number(hash)) & (index_.size() - 1);
  }
  // Where the hash is noted, or the empty place of the index where it would be.
  std::size_t noted_at(NameHash hash) const;
  void take_note_away(std::size_t hole);
  void unlink(Number number);
  void link_newest(Number number);

  std::span<Place> places_;
  std::span<Number> index_;  // open addressing, at most half full
  Number oldest_ = 0, newest_ = 0, free_ = 0;
  std::uint32_t touched_ = 0;  // places that were ever used
  std::uint32_t size_ = 0;
};

}  // namespace starling
