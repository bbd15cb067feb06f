#include "core/serf/coordinate_cache.h"

#include <bit>

namespace starling {

namespace {
std::size_t index_size(std::uint32_t entries_max) {
  return std::bit_ceil(std::size_t{entries_max} * 2);
}
}  // namespace

CoordinateCache::CoordinateCache(Arena& arena, std::uint32_t entries_max)
    : places_(arena.make_zeroed<Place>(entries_max)),
      index_(arena.make_zeroed<Number>(index_size(entries_max))) {
  CHECK(entries_max > 0);
}

std::size_t CoordinateCache::footprint(std::uint32_t entries_max) {
  Footprint sum;
  sum.make_zeroed<Place>(entries_max);
  sum.make_zeroed<Number>(index_size(entries_max));
  return sum.total();
}

std::size_t CoordinateCache::noted_at(NameHash hash) const {
  std::size_t place = home(hash);
  while (index_[place] != 0 && at(index_[place]).hash != hash) {
    place = (place + 1) & (index_.size() - 1);
  }
  return place;
}

const CoordinateCache::Entry* CoordinateCache::find(NameHash hash) const {
  const Number number = index_[noted_at(hash)];
  return number == 0 ? nullptr : &at(number).entry;
}

CoordinateCache::Entry& CoordinateCache::touch(NameHash hash) {
  if (const Number known = index_[noted_at(hash)]; known != 0) {
    unlink(known);
    link_newest(known);
    return at(known).entry;
  }
  if (size_ == places_.size()) forget(at(oldest_).hash);
  Number number = free_;
  if (number != 0) {
    free_ = at(number).older;
  } else {
    number = ++touched_;
  }
  Place& place = at(number);
  place.hash = hash;
  place.entry = Entry{};
  index_[noted_at(hash)] = number;
  link_newest(number);
  ++size_;
  return place.entry;
}

void CoordinateCache::forget(NameHash hash) {
  const std::size_t noted = noted_at(hash);
  const Number number = index_[noted];
  if (number == 0) return;
  take_note_away(noted);
  unlink(number);
  at(number).older = free_;
  free_ = number;
  --size_;
}

// Entries behind the hole move up if the hole lies between their home and them.
void CoordinateCache::take_note_away(std::size_t hole) {
  const std::size_t mask = index_.size() - 1;
  for (std::size_t next = (hole + 1) & mask; index_[next] != 0; next = (next + 1) & mask) {
    const std::size_t wanted = home(at(index_[next]).hash);
    if (((next - wanted) & mask) < ((next - hole) & mask)) continue;
    index_[hole] = index_[next];
    hole = next;
  }
  index_[hole] = 0;
}

void CoordinateCache::unlink(Number number) {
  const Place& place = at(number);
  (place.older == 0 ? oldest_ : at(place.older).newer) = place.newer;
  (place.newer == 0 ? newest_ : at(place.newer).older) = place.older;
}

void CoordinateCache::link_newest(Number number) {
  Place& place = at(number);
  place.older = newest_;
  place.newer = 0;
  (newest_ == 0 ? oldest_ : at(newest_).newer) = number;
  newest_ = number;
}

}  // namespace starling
