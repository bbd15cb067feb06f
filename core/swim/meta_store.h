// MetaStore: the metadata of many members, equal bytes stored once.
//
// The problem: Serf's tags ("role=web", a data centre, a version) are the same for thousands of
// members, and stored one by one they would take more memory than everything else in a row. The
// idea: each stored string counts its users, and a table of fixed size finds it by the hash of its
// bytes. The table is made of buckets of one cache line with eight places each; a string whose
// bucket is full is stored all the same, only not found again. So no input makes a lookup longer
// than one bucket, and at worst everybody has a copy of its own. Owned by a MemberTable, used by
// its shard's thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/arena.h"
#include "core/base/slab.h"
#include "wire/base/types.h"

namespace starling {

class MetaStore {
 public:
  // What a stored string takes on top of its bytes and of the slab's own header.
  static constexpr std::size_t count_bytes = sizeof(std::uint32_t);
  static constexpr std::size_t bytes_max = Slab::bytes_max - count_bytes;  // of one string
  static constexpr std::size_t places_per_bucket = 8;

  // One place for every four members, so up to a quarter of all may differ and still be found.
  // `slab_bytes`: room for all strings together.
  MetaStore(Arena& arena, std::uint32_t members_max, std::size_t slab_bytes);
  static std::size_t footprint(std::uint32_t members_max, std::size_t slab_bytes);

  // A user more of these bytes: of a string that is stored already, or of a new one. Nothing when
  // it would be a new one and the slab is full.
  std::optional<SlabRef> put(Bytes meta);
  // Valid until the last user has called release.
  Bytes get(SlabRef ref) const { return slab_.get(ref).subspan(count_bytes); }
  // A user less.
  void release(SlabRef ref);
  void prefetch(SlabRef ref) const { slab_.prefetch(ref); }

  // Strings that further users would share.
  std::uint32_t shared_count() const { return shared_count_; }
  std::size_t slab_used_bytes() const { return slab_.used_bytes(); }

 private:
  struct Place {
    std::uint32_t hash;
    SlabRef ref;  // none: free
  };
  struct alignas(cache_line_bytes) BucketOfPlaces {
    std::array<Place, places_per_bucket> places;
  };
  static_assert(sizeof(BucketOfPlaces) == cache_line_bytes);

  std::span<Place> bucket(std::uint64_t hash);
  std::uint32_t users_of(SlabRef ref) const;
  void set_users(SlabRef ref, std::uint32_t users);

  Slab slab_;
  std::span<BucketOfPlaces> buckets_;
  std::uint32_t shared_count_ = 0;
};

}  // namespace starling
