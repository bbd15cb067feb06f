#include "core/swim/member_table.h"

#include "wire/base/check.h"

namespace starling {

namespace {
constexpr std::size_t name_slab(std::size_t slab_bytes) {
  return slab_bytes / 5 * 2;
}
}  // namespace

MemberTable::MemberTable(Arena& arena, std::uint32_t members_max, std::size_t slab_bytes)
    : names_(arena, name_slab(slab_bytes)),
      metas_(arena, members_max, slab_bytes - name_slab(slab_bytes)),
      index_(arena, members_max),
      taken_(arena, members_max),
      state_(arena.make<MemberState>(members_max)),
      incarnation_(arena.make<Incarnation>(members_max)),
      state_changed_(arena, members_max),
      listed_(arena.make<bool>(members_max)),
      endpoint_(arena.make_zeroed<Endpoint>(members_max)),
      versions_(arena.make_zeroed<Versions>(members_max)),
      name_(arena.make<SlabRef>(members_max)),
      meta_(arena.make<SlabRef>(members_max)) {
  CHECK(members_max < to_number(no_slot));
}

std::size_t MemberTable::footprint(std::uint32_t members_max, std::size_t slab_bytes) {
  Footprint sum;
  sum.add(Slab::footprint(name_slab(slab_bytes)));
  sum.add(MetaStore::footprint(members_max, slab_bytes - name_slab(slab_bytes)));
  sum.add(NameIndex::footprint(members_max));
  sum.add(SlotSet::footprint(members_max));
  sum.make<MemberState>(members_max);
  sum.make<Incarnation>(members_max);
  sum.add(InstantColumn::footprint(members_max));
  sum.make<bool>(members_max);
  sum.make_zeroed<Endpoint>(members_max);
  sum.make_zeroed<Versions>(members_max);
  sum.make<SlabRef>(members_max);
  sum.make<SlabRef>(members_max);
  return sum.total();
}

std::optional<Slot> MemberTable::insert(NameHash hash, std::string_view name) {
  DCHECK(!find(hash, name));
  const Slot slot = taken_.lowest_free();
  if (slot == no_slot) return std::nullopt;
  const std::optional<SlabRef> stored_name = names_.put(as_bytes(name));
  if (!stored_name) return std::nullopt;

  taken_.insert(slot);
  index_.insert(hash, {.slot = slot, .name = *stored_name});
  ++size_;
  if (to_number(slot) >= slots_end_) slots_end_ = to_number(slot) + 1;

  const std::size_t row = index_of(slot);
  state_[row] = MemberState::dead;
  incarnation_[row] = Incarnation{0};
  state_changed_.clear(row);
  listed_[row] = false;
  endpoint_[row] = Endpoint{};
  versions_[row] = Versions{0, 0, 0, 0, 0, 0};
  name_[row] = *stored_name;
  meta_[row] = SlabRef::none;
  return slot;
}

void MemberTable::erase(Slot slot) {
  CHECK(occupied(slot));
  const std::size_t row = index_of(slot);
  index_.erase(hash(slot), slot);
  names_.release(name_[row]);
  if (meta_[row] != SlabRef::none) metas_.release(meta_[row]);
  taken_.erase(slot);
  --size_;
  while (slots_end_ > 0 && !taken_.contains(Slot{slots_end_ - 1})) --slots_end_;
}

bool MemberTable::set_meta(Slot slot, Bytes meta) {
  SlabRef& stored = meta_[at(slot)];
  SlabRef fresh = SlabRef::none;
  if (!meta.empty()) {
    const std::optional<SlabRef> put = metas_.put(meta);
    if (!put) return false;
    fresh = *put;
  }
  if (stored != SlabRef::none) metas_.release(stored);
  stored = fresh;
  return true;
}

}  // namespace starling
