#include "core/swim/peer_list.h"

namespace starling {

PeerList::PeerList(Arena& arena, std::uint32_t members_max)
    : slots_(arena.make<Slot>(members_max)) {}

std::size_t PeerList::footprint(std::uint32_t members_max) {
  Footprint sum;
  sum.make<Slot>(members_max);
  return sum.total();
}

void PeerList::insert(Rng& rng, Slot slot) {
  CHECK(size_ < slots_.size());
  const std::uint32_t place = size_ == 0 ? 0 : rng.below(size_);
  slots_[size_] = slot;
  std::swap(slots_[place], slots_[size_]);
  ++size_;
}

}  // namespace starling
