// NameIndex: from a member's name to its slot, in a table of fixed size.
//
// The problem: a lookup among a million members costs cache misses, so the first memory touched
// must decide nearly everything. The idea: open addressing in groups of 16 bytes, 14 tags (8 bits
// of the hash each, 0 = empty) compared at once, and a count of the entries that found this group
// full and went on to a later one. A lookup stops at the first group with a count of zero. Because
// deleting an entry lowers the counts on its way, there are no tombstones and lookups do not get
// slower with churn. Groups are at most 6/7 full on average.
//
// The index stores slot and name reference but does not compare names: the caller does. Owned by a
// MemberTable, used by its shard's thread.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <span>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/base/arena.h"
#include "core/base/bucket.h"
#include "core/base/hash.h"
#include "core/base/slab.h"
#include "core/swim/slot.h"
#include "wire/base/check.h"

namespace starling {

class NameIndex {
 public:
  static constexpr std::uint32_t tags_per_group = 14;
  static constexpr std::uint32_t entries_per_group = 12;  // on average, of the 14 that fit

  struct Entry {
    Slot slot;
    SlabRef name;
  };
  // Exactly two cache lines, next to each other: a lookup touches one place.
  struct alignas(cache_line_bytes) Group {
    std::array<std::uint8_t, tags_per_group> tags;
    std::uint16_t overflowed;  // entries of earlier groups that lie behind this one
    std::array<Entry, tags_per_group> entries;
  };
  static_assert(sizeof(Group) == 2 * cache_line_bytes);
  static constexpr std::size_t entry_bytes_average = sizeof(Group) / entries_per_group + 1;

  NameIndex(Arena& arena, std::uint32_t entries_max);
  static std::size_t footprint(std::uint32_t entries_max);

  // The first entry with this tag for which same(Entry) holds; no_slot when there is none.
  template <std::predicate<const Entry&> Same>
  Slot find(NameHash hash, Same&& same) const {
    std::uint32_t group = home(hash);
    const std::uint8_t tag = tag_of(hash);
    for (std::uint32_t walked = 0; walked < groups_; ++walked) {
      std::uint32_t hits = matches(group_[group], tag);
      for (; hits != 0; hits &= hits - 1) {
        const Entry& entry = entry_at(group, hits);
        if (same(entry)) return entry.slot;
      }
      if (group_[group].overflowed == 0) return no_slot;
      group = after(group);
    }
    return no_slot;
  }

  // The caller has made sure that the name is not here and that there is room.
  void insert(NameHash hash, Entry entry);
  // The entry must be here.
  void erase(NameHash hash, Slot slot);

  // Fetches what find reads first. For batches: hash all, prefetch all, then find.
  void prefetch(NameHash hash) const {
    const Group& group = group_[home(hash)];
    __builtin_prefetch(&group);
    __builtin_prefetch(&group.entries.back());
  }
  // Fetches what prefetch could not know: calls fetch(Entry) for each entry with this tag.
  template <std::invocable<const Entry&> Fetch>
  void prefetch_matches(NameHash hash, Fetch&& fetch) const {
    const std::uint32_t group = home(hash);
    for (std::uint32_t hits = matches(group_[group], tag_of(hash)); hits != 0; hits &= hits - 1) {
      fetch(entry_at(group, hits));
    }
  }

  // Calls fn(Entry) once for each entry whose hash lies in one of `count` buckets from `first` on,
  // in no particular order. Groups are in order of the hash, so this reads a range of them and
  // those behind it into which it overflowed. hash_of(Entry) must give the entry's hash; it is
  // asked only where the place of an entry leaves it open. The index must not change meanwhile.
  template <std::invocable<const Entry&> HashOf, std::invocable<const Entry&> Fn>
  void for_each_in_buckets(Bucket first, std::size_t count, HashOf&& hash_of, Fn&& fn) const {
    const auto bucket = static_cast<std::size_t>(first);
    CHECK(bucket + count <= bucket_count);
    if (count == 0) return;
    const std::uint32_t first_group = home(first_hash_of(bucket));
    const std::uint32_t last_group =
        home(NameHash{to_number(first_hash_of(bucket)) + (count * hashes_per_bucket - 1)});
    bool guests = group_[before(first_group)].overflowed != 0;  // entries of earlier groups
    std::uint32_t group = first_group;
    for (std::uint32_t walked = 0; walked < groups_; ++walked) {
      const bool inside = walked <= last_group - first_group;
      if (!inside && !guests) return;
      const bool sure = walked > 0 && walked < last_group - first_group && !guests;
      for (std::uint32_t taken = all_tags & ~matches(group_[group], 0); taken != 0;
           taken &= taken - 1) {
        const Entry& entry = entry_at(group, taken);
        if (!sure) {
          const std::size_t at = static_cast<std::size_t>(bucket_of(hash_of(entry)));
          if (at < bucket || at >= bucket + count) continue;
        }
        fn(entry);
      }
      guests = group_[group].overflowed != 0;
      group = after(group);
    }
  }

  // Bit i is set when tag i of the group equals `tag`. Both do the same; the second runs anywhere.
  static std::uint32_t matches(const Group& group, std::uint8_t tag) {
#ifdef __SSE2__
    const __m128i tags = _mm_load_si128(reinterpret_cast<const __m128i*>(&group));
    const __m128i equal = _mm_cmpeq_epi8(tags, _mm_set1_epi8(static_cast<char>(tag)));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(equal)) & all_tags;
#else
    return matches_portable(group, tag);
#endif
  }
  static std::uint32_t matches_portable(const Group& group, std::uint8_t tag) {
    std::uint32_t hits = 0;
    for (std::uint32_t i = 0; i < tags_per_group; ++i) {
      if (group.tags[i] == tag) hits |= 1u << i;
    }
    return hits;
  }

 private:
  static constexpr std::uint32_t all_tags = (1u << tags_per_group) - 1;
  static constexpr std::uint64_t hashes_per_bucket = ~0ull / bucket_count + 1;
  static NameHash first_hash_of(std::size_t bucket) {
    return NameHash{bucket * hashes_per_bucket};
  }

  // The high half picks the group, the low byte is the tag.
  std::uint32_t home(NameHash hash) const {
    return static_cast<std::uint32_t>(((to_number(hash) >> 32) * groups_) >> 32);
  }
  static std::uint8_t tag_of(NameHash hash) {
    const auto low = static_cast<std::uint8_t>(to_number(hash));
    return low == 0 ? std::uint8_t{1} : low;
  }
  std::uint32_t after(std::uint32_t group) const {
    return group + 1 == groups_ ? 0 : group + 1;
  }
  std::uint32_t before(std::uint32_t group) const {
    return group == 0 ? static_cast<std::uint32_t>(groups_ - 1) : group - 1;
  }
  // The entry of the lowest hit.
  const Entry& entry_at(std::uint32_t group, std::uint32_t hits) const {
    return group_[group].entries[static_cast<std::size_t>(std::countr_zero(hits))];
  }

  std::uint64_t groups_;
  std::span<Group> group_;
};

}  // namespace starling
