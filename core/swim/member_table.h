// MemberTable: what a shard knows of its members. One row per slot, split into columns.
//
// The node table of protocol/memberlist section 9, as structure of arrays: a scan for "dead longer
// than 30 s" touches 5 bytes a member. Capacity is fixed at start, and nothing is touched before it
// is needed; a full table refuses, and says so. Rows are reused lowest first. Equal metadata is
// stored once; a name's hash is not stored, computing it again costs less than fetching it. A row
// is only a record: the rules are in rules.h, the order in which members are probed in peer_list.h.
// Owned by one shard, used by its thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/arena.h"
#include "core/base/bucket.h"
#include "core/base/hash.h"
#include "core/base/instant_column.h"
#include "core/base/slab.h"
#include "core/base/time.h"
#include "core/swim/meta_store.h"
#include "core/swim/name_index.h"
#include "core/swim/slot.h"
#include "core/swim/slot_set.h"
#include "wire/base/types.h"

namespace starling {

class MemberTable {
 public:
  // `slab_bytes`: room for all names and metas together. Two fifths are for names, so that
  // metadata, however long, keeps no member out.
  MemberTable(Arena& arena, std::uint32_t members_max, std::size_t slab_bytes);
  static std::size_t footprint(std::uint32_t members_max, std::size_t slab_bytes);

  std::optional<Slot> find(NameHash hash, std::string_view name) const {
    const Slot slot = index_.find(hash, [&](const NameIndex::Entry& entry) {
      return as_text(names_.get(entry.name)) == name;
    });
    if (slot == no_slot) return std::nullopt;
    return slot;
  }
  // For batches: hash all, prefetch all, prefetch_name all, then find.
  void prefetch(NameHash hash) const { index_.prefetch(hash); }
  void prefetch_name(NameHash hash) const {
    index_.prefetch_matches(hash, [&](const NameIndex::Entry& entry) {
      names_.prefetch(entry.name);
      __builtin_prefetch(&state_[index_of(entry.slot)]);
      __builtin_prefetch(&incarnation_[index_of(entry.slot)]);
    });
  }

  // A new row: state dead, incarnation 0, versions all zero, no endpoint, not listed, no meta (what
  // section 10.2 step 4 starts from). nullopt: no slot or no slab room left. The name must not be
  // in the table.
  std::optional<Slot> insert(NameHash hash, std::string_view name);
  void erase(Slot slot);

  std::uint32_t size() const { return size_; }
  std::uint32_t capacity() const { return static_cast<std::uint32_t>(state_.size()); }
  bool occupied(Slot slot) const { return taken_.contains(slot); }
  // One past the highest occupied slot, for scans.
  Slot slots_end() const { return Slot{slots_end_}; }
  std::size_t slab_used_bytes() const { return names_.used_bytes() + metas_.slab_used_bytes(); }

  // All below need an occupied slot. Views into the slab stay valid until that name or meta goes.
  std::string_view name(Slot slot) const { return as_text(names_.get(name_[at(slot)])); }
  // As hash_name(name(slot)): the hash that insert was given.
  NameHash hash(Slot slot) const { return hash_name(name(slot)); }
  Bytes meta(Slot slot) const {
    const SlabRef ref = meta_[at(slot)];
    return ref == SlabRef::none ? Bytes{} : metas_.get(ref);
  }
  // False: no slab room, and the old meta stays.
  bool set_meta(Slot slot, Bytes meta);
  // Metadata that members share, or would: see MetaStore.
  std::uint32_t metas_shared() const { return metas_.shared_count(); }

  MemberState& state(Slot slot) { return state_[at(slot)]; }
  MemberState state(Slot slot) const { return state_[at(slot)]; }
  Incarnation& incarnation(Slot slot) { return incarnation_[at(slot)]; }
  Incarnation incarnation(Slot slot) const { return incarnation_[at(slot)]; }
  // When the state changed last, rounded as InstantColumn says: never early, 1/64 s late at most.
  void set_state_changed(Slot slot, Instant now) { state_changed_.set(at(slot), now); }
  Instant state_changed(Slot slot) const { return state_changed_.at(at(slot)); }
  Endpoint& endpoint(Slot slot) { return endpoint_[at(slot)]; }
  const Endpoint& endpoint(Slot slot) const { return endpoint_[at(slot)]; }
  Versions& versions(Slot slot) { return versions_[at(slot)]; }
  const Versions& versions(Slot slot) const { return versions_[at(slot)]; }
  // Whether the member is in memberlist's node list (section 9). A row can exist without.
  bool& listed(Slot slot) { return listed_[at(slot)]; }
  bool listed(Slot slot) const { return listed_[at(slot)]; }

  // Calls fn(Slot) once for each member whose name's hash lies in one of `count` buckets from
  // `first` on, in no particular order. Reads only the index and the names in it. The table must
  // not change meanwhile.
  template <std::invocable<Slot> Fn>
  void for_each_in_buckets(Bucket first, std::size_t count, Fn&& fn) const {
    index_.for_each_in_buckets(
        first, count,
        [&](const NameIndex::Entry& entry) { return hash_name(as_text(names_.get(entry.name))); },
        [&](const NameIndex::Entry& entry) { fn(entry.slot); });
  }

  // What one member touches besides its name, which takes Slab::block_bytes(), and metadata of its
  // own: the columns and its part of the index.
  static constexpr std::size_t row_bytes =
      sizeof(MemberState) + sizeof(Incarnation) + sizeof(std::uint32_t) + sizeof(bool) +
      sizeof(Endpoint) + sizeof(Versions) + 2 * sizeof(SlabRef) + NameIndex::entry_bytes_average;

 private:
  std::size_t at(Slot slot) const {
    DCHECK(occupied(slot));
    return index_of(slot);
  }

  Slab names_;
  MetaStore metas_;
  NameIndex index_;
  SlotSet taken_;
  std::span<MemberState> state_;
  std::span<Incarnation> incarnation_;
  InstantColumn state_changed_;
  std::span<bool> listed_;
  std::span<Endpoint> endpoint_;
  std::span<Versions> versions_;
  std::span<SlabRef> name_;
  std::span<SlabRef> meta_;
  std::uint32_t size_ = 0;
  std::uint32_t slots_end_ = 0;
};

}  // namespace starling
