#include "core/swim/name_index.h"

#include "wire/base/check.h"

namespace starling {
namespace {

constexpr std::uint16_t overflow_stuck = 0xffff;  // counted no further; never lowered again

std::uint32_t groups_for(std::uint32_t entries_max) {
  return entries_max / NameIndex::entries_per_group + 1;
}

}  // namespace

NameIndex::NameIndex(Arena& arena, std::uint32_t entries_max)
    : groups_(groups_for(entries_max)), group_(arena.make_zeroed<Group>(groups_)) {}

std::size_t NameIndex::footprint(std::uint32_t entries_max) {
  Footprint sum;
  sum.make_zeroed<Group>(groups_for(entries_max));
  return sum.total();
}

void NameIndex::insert(NameHash hash, Entry entry) {
  std::uint32_t group = home(hash);
  for (std::uint32_t walked = 0; walked < groups_; ++walked) {
    const std::uint32_t empty = matches(group_[group], 0);
    if (empty != 0) {
      const auto place = static_cast<std::size_t>(std::countr_zero(empty));
      group_[group].tags[place] = tag_of(hash);
      group_[group].entries[place] = entry;
      return;
    }
    if (group_[group].overflowed != overflow_stuck) ++group_[group].overflowed;
    group = after(group);
  }
  CHECK(false && "the index has room for every slot");
}

void NameIndex::erase(NameHash hash, Slot slot) {
  std::uint32_t group = home(hash);
  const std::uint8_t tag = tag_of(hash);
  for (std::uint32_t walked = 0; walked < groups_; ++walked) {
    for (std::uint32_t hits = matches(group_[group], tag); hits != 0; hits &= hits - 1) {
      const auto place = static_cast<std::size_t>(std::countr_zero(hits));
      if (group_[group].entries[place].slot != slot) continue;
      group_[group].tags[place] = 0;
      return;
    }
    // The entry went past this group when it came.
    CHECK(group_[group].overflowed != 0);
    if (group_[group].overflowed != overflow_stuck) --group_[group].overflowed;
    group = after(group);
  }
  CHECK(false && "only what is in the index is erased");
}

}  // namespace starling
