#include "core/serf/intents.h"

#include <bit>

#include "wire/base/check.h"

namespace starling {

namespace {

std::size_t index_entries(std::uint32_t intents_max) {
  return std::bit_ceil(std::size_t{intents_max}) * 2;
}

}  // namespace

std::size_t RecentIntents::footprint(std::uint32_t intents_max) {
  Footprint footprint;
  footprint.make_zeroed<Entry>(intents_max);
  footprint.make<std::uint32_t>(index_entries(intents_max));
  return footprint.total();
}

RecentIntents::RecentIntents(Arena& arena, std::uint32_t intents_max) {
  CHECK(intents_max > 0 && intents_max < (1u << 30));
  entries_ = arena.make_zeroed<Entry>(intents_max);
  index_ = arena.make<std::uint32_t>(index_entries(intents_max));
  mask_ = static_cast<std::uint32_t>(index_.size()) - 1;
  // A free entry has in `newer` how far behind the one after it the next free one is, modulo 2^32:
  // memory that was never touched is a list of all. The number of entries ends it.
  free_ = 0;
}

// The high bits choose the bucket and the shard, so the low ones are the ones that still differ.
std::uint32_t RecentIntents::home(NameHash name) const {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(name)) & mask_;
}

std::uint32_t RecentIntents::position_of(NameHash name) const {
  std::uint32_t at = home(name);
  while (index_[at] != 0 && entries_[index_[at] - 1].name != name) at = (at + 1) & mask_;
  return at;
}

bool RecentIntents::upsert(NameHash name, IntentKind kind, LamportTime time, Instant now) {
  std::uint32_t at = position_of(name);
  if (index_[at] != 0) {
    const std::uint32_t known = index_[at] - 1;
    Entry& entry = entries_[known];
    if (time <= entry.time) return false;
    entry.kind = kind;
    entry.time = time;
    entry.heard = now;
    unlink(known);
    link_newest(known);
    return true;
  }
  if (free_ == entries_.size()) {
    remove(oldest_);
    ++evictions_;
    at = position_of(name);  // the removal may have moved entries
  }
  const std::uint32_t fresh = free_;
  Entry& entry = entries_[fresh];
  free_ = fresh + 1 + entry.newer;
  entry.name = name;
  entry.kind = kind;
  entry.time = time;
  entry.heard = now;
  index_[at] = fresh + 1;
  ++size_;
  link_newest(fresh);
  return true;
}

std::optional<RecentIntent> RecentIntents::find(NameHash name) const {
  if (size_ == 0) return std::nullopt;  // as while a large state is merged: saves a cache miss each
  const std::uint32_t at = position_of(name);
  if (index_[at] == 0) return std::nullopt;
  const Entry& entry = entries_[index_[at] - 1];
  return RecentIntent{entry.kind, entry.time};
}

std::optional<LamportTime> RecentIntents::find(NameHash name, IntentKind kind) const {
  const std::optional<RecentIntent> found = find(name);
  if (!found || found->kind != kind) return std::nullopt;
  return found->time;
}

std::uint32_t RecentIntents::expire(Instant now, Duration age) {
  std::uint32_t expired = 0;
  while (oldest_ != nothing && now - entries_[oldest_].heard > age) {
    remove(oldest_);
    ++expired;
  }
  return expired;
}

void RecentIntents::unlink(std::uint32_t number) {
  const Entry& entry = entries_[number];
  (entry.older == nothing ? oldest_ : entries_[entry.older].newer) = entry.newer;
  (entry.newer == nothing ? newest_ : entries_[entry.newer].older) = entry.older;
}

void RecentIntents::link_newest(std::uint32_t number) {
  entries_[number].older = newest_;
  entries_[number].newer = nothing;
  (newest_ == nothing ? oldest_ : entries_[newest_].newer) = number;
  newest_ = number;
}

void RecentIntents::remove(std::uint32_t number) {
  unlink(number);
  // Close the gap: an entry further on moves back if its probe sequence passes the hole.
  std::uint32_t hole = position_of(entries_[number].name);
  for (std::uint32_t at = (hole + 1) & mask_; index_[at] != 0; at = (at + 1) & mask_) {
    const std::uint32_t from_home = (at - home(entries_[index_[at] - 1].name)) & mask_;
    if (from_home < ((at - hole) & mask_)) continue;
    index_[hole] = index_[at];
    hole = at;
  }
  index_[hole] = 0;
  entries_[number].newer = free_ - number - 1;
  free_ = number;
  --size_;
}

}  // namespace starling
