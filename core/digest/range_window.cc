#include "core/digest/range_window.h"

#include <algorithm>

namespace starling {

namespace {

constexpr std::uint32_t table_size = 2 * RangeSlot::fingerprints_max;

// Bits of the name's hash below those that all names of a bucket share; zero means "nothing here".
std::uint32_t fingerprint(NameHash name) {
  return static_cast<std::uint32_t>(to_number(name)) | 1U;
}
std::uint32_t place(NameHash name) {
  return static_cast<std::uint32_t>(to_number(name) >> 32) % table_size;
}

}  // namespace

RangeWindow::RangeWindow(Arena& arena) : slots_(arena.make<RangeSlot>(ranges_max)) {
  for (RangeSlot& slot : slots_) slot.names = arena.make<std::uint32_t>(table_size);
}

std::size_t RangeWindow::footprint() {
  Footprint sum;
  sum.make<RangeSlot>(ranges_max);
  for (std::size_t i = 0; i < ranges_max; ++i) sum.make<std::uint32_t>(table_size);
  return sum.total();
}

void RangeWindow::clear() {
  for (RangeSlot& slot : slots_) slot.used = false;
}

RangeSlot* RangeWindow::open(Bucket first, std::uint32_t buckets) {
  const auto slot = std::ranges::find(slots_, false, &RangeSlot::used);
  if (slot == slots_.end()) return nullptr;
  const std::span<std::uint32_t> names = slot->names;
  std::ranges::fill(names, 0U);
  *slot = RangeSlot{.used = true, .first = first, .buckets = buckets, .names = names};
  return &*slot;
}

RangeSlot* RangeWindow::find(Bucket first, std::uint32_t buckets) {
  const auto slot = std::ranges::find_if(slots_, [&](const RangeSlot& one) {
    return one.used && one.first == first && one.buckets == buckets;
  });
  return slot == slots_.end() ? nullptr : &*slot;
}

bool RangeWindow::empty() const {
  return std::ranges::none_of(slots_, &RangeSlot::used);
}

void RangeWindow::saw(RangeSlot& slot, NameHash name) {
  if (slot.fingerprints == RangeSlot::fingerprints_max) return;
  std::uint32_t at = place(name);
  for (; slot.names[at] != 0; at = (at + 1) % table_size) {
    if (slot.names[at] == fingerprint(name)) return;
  }
  slot.names[at] = fingerprint(name);
  ++slot.fingerprints;
}

bool RangeWindow::has_seen(const RangeSlot& slot, NameHash name) {
  for (std::uint32_t at = place(name); slot.names[at] != 0; at = (at + 1) % table_size) {
    if (slot.names[at] == fingerprint(name)) return true;
  }
  return false;
}

bool RangeWindow::has_seen(std::span<const std::uint32_t> fingerprints, NameHash name) {
  return std::ranges::binary_search(fingerprints, fingerprint(name));
}

std::span<const std::uint32_t> RangeWindow::list(
    const RangeSlot& slot, std::array<std::uint32_t, RangeSlot::fingerprints_max>& room) {
  std::size_t count = 0;
  for (const std::uint32_t name : slot.names) {
    if (name != 0) room[count++] = name;
  }
  const std::span<std::uint32_t> names = std::span(room).first(count);
  std::ranges::sort(names);
  return names;
}

}  // namespace starling
