#include "core/shard/hosted.h"

#include <bit>

#include "wire/base/check.h"

namespace starling {

namespace {

// The longest permitted name fits for every place of a small engine; a large one has room for names
// of ordinary length.
std::size_t names_bytes(std::uint32_t hosted_max) {
  return std::size_t{65'536} + std::size_t{hosted_max} * 96;
}

// At most half full, so that probing sequences stay short.
std::size_t index_places(std::uint32_t hosted_max) {
  return std::bit_ceil(std::size_t{hosted_max} * 2 + 2);
}

}  // namespace

HostedMembers::HostedMembers(Arena& arena, std::uint32_t hosted_max, std::uint32_t members_max)
    : names_(arena, names_bytes(hosted_max)),
      hosted_(arena.make<Hosted>(hosted_max)),
      index_(arena.make<std::uint32_t>(index_places(hosted_max))),
      hosted_at_(arena.make<std::uint32_t>(members_max)) {}

std::size_t HostedMembers::footprint(std::uint32_t hosted_max, std::uint32_t members_max) {
  Footprint sum;
  sum.add(Slab::footprint(names_bytes(hosted_max)));
  sum.make<Hosted>(hosted_max);
  sum.make<std::uint32_t>(index_places(hosted_max));
  sum.make<std::uint32_t>(members_max);
  return sum.total();
}

Hosted* HostedMembers::add(std::string_view name, const Endpoint& advertise,
                           std::int32_t awareness_bound) {
  std::uint32_t place = first_;
  while (place < hosted_.size() && hosted_[place].used) ++place;
  if (place == hosted_.size()) return nullptr;
  Hosted* const hosted = add_at(HostedId{place}, name, advertise, awareness_bound);
  if (hosted != nullptr) first_ = place + 1;
  return hosted;
}

Hosted* HostedMembers::add_at(HostedId id, std::string_view name, const Endpoint& advertise,
                              std::int32_t awareness_bound) {
  const std::uint32_t place = to_number(id);
  CHECK(place < hosted_.size());
  Hosted& hosted = hosted_[place];
  if (hosted.used) remove(hosted);
  const std::optional<SlabRef> stored = names_.put(as_bytes(name));
  if (!stored) return nullptr;
  hosted = Hosted();
  hosted.used = true;
  hosted.id = id;
  hosted.name = *stored;
  hosted.hash = hash_name(name);
  hosted.advertise = advertise;
  hosted.awareness = Awareness(awareness_bound);
  std::size_t at = home(hosted.hash);
  while (index_[at] != 0) at = (at + 1) & (index_.size() - 1);
  index_[at] = place + 1;
  end_ = std::max(end_, place + 1);
  ++size_;
  return &hosted;
}

void HostedMembers::remove(Hosted& hosted) {
  CHECK(hosted.used);
  // Moves later entries of the same run up, so that no search stops too early.
  std::size_t hole = index_place(hosted);
  const std::size_t mask = index_.size() - 1;
  for (std::size_t at = (hole + 1) & mask; index_[at] != 0; at = (at + 1) & mask) {
    const std::size_t wanted = home(hosted_[index_[at] - 1].hash);
    if (((at - wanted) & mask) < ((at - hole) & mask)) continue;
    index_[hole] = index_[at];
    hole = at;
  }
  index_[hole] = 0;
  if (hosted.slot != no_slot) hosted_at_[index_of(hosted.slot)] = 0;
  names_.release(hosted.name);
  hosted.used = false;
  hosted.slot = no_slot;
  first_ = std::min(first_, to_number(hosted.id));
  while (end_ > 0 && !hosted_[end_ - 1].used) --end_;
  --size_;
}

void HostedMembers::settle(Hosted& hosted, Slot slot) {
  hosted.slot = slot;
  hosted_at_[index_of(slot)] = to_number(hosted.id) + 1;
}

Hosted* HostedMembers::find(std::string_view wanted) {
  const NameHash hash = hash_name(wanted);
  for (std::size_t at = home(hash); index_[at] != 0; at = (at + 1) & (index_.size() - 1)) {
    Hosted& hosted = hosted_[index_[at] - 1];
    if (hosted.hash == hash && name(hosted) == wanted) return &hosted;
  }
  return nullptr;
}

Hosted* HostedMembers::speaker() {
  Hosted* first = nullptr;
  for (std::uint32_t place = 0; place < end_; ++place) {
    if (!hosted_[place].used) continue;
    if (hosted_[place].leave == LeaveStage::none) return &hosted_[place];
    if (first == nullptr) first = &hosted_[place];
  }
  return first;
}

std::size_t HostedMembers::index_place(const Hosted& hosted) const {
  std::size_t at = home(hosted.hash);
  while (index_[at] != to_number(hosted.id) + 1) at = (at + 1) & (index_.size() - 1);
  return at;
}

}  // namespace starling
