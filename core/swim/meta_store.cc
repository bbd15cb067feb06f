#include "core/swim/meta_store.h"

#include <cstring>

#include "core/base/hash.h"
#include "wire/base/check.h"

namespace starling {
namespace {

constexpr std::uint32_t members_per_bucket = 4 * MetaStore::places_per_bucket;

std::uint32_t buckets_for(std::uint32_t members_max) {
  return members_max / members_per_bucket + 1;
}

std::uint64_t hash_of(Bytes meta) {
  return hash_bytes(meta, 0);
}

}  // namespace

MetaStore::MetaStore(Arena& arena, std::uint32_t members_max, std::size_t slab_bytes)
    : slab_(arena, slab_bytes),
      buckets_(arena.make_zeroed<BucketOfPlaces>(buckets_for(members_max))) {}

std::size_t MetaStore::footprint(std::uint32_t members_max, std::size_t slab_bytes) {
  Footprint sum;
  sum.add(Slab::footprint(slab_bytes));
  sum.make_zeroed<BucketOfPlaces>(buckets_for(members_max));
  return sum.total();
}

std::optional<SlabRef> MetaStore::put(Bytes meta) {
  const std::uint64_t hash = hash_of(meta);
  const auto tag = static_cast<std::uint32_t>(hash);
  Place* free = nullptr;
  for (Place& place : bucket(hash)) {
    if (place.ref == SlabRef::none) {
      if (free == nullptr) free = &place;
    } else if (place.hash == tag && equal(get(place.ref), meta)) {
      set_users(place.ref, users_of(place.ref) + 1);
      return place.ref;
    }
  }
  if (meta.size() > bytes_max) return std::nullopt;
  const std::optional<SlabRef> ref = slab_.reserve(count_bytes + meta.size());
  if (!ref) return std::nullopt;
  const MutableBytes stored = slab_.edit(*ref).subspan(count_bytes);
  if (!meta.empty()) std::memcpy(stored.data(), meta.data(), meta.size());
  set_users(*ref, 1);
  if (free != nullptr) {
    *free = {.hash = tag, .ref = *ref};
    ++shared_count_;
  }
  return ref;
}

void MetaStore::release(SlabRef ref) {
  const std::uint32_t users = users_of(ref);
  CHECK(users > 0);
  if (users > 1) return set_users(ref, users - 1);
  for (Place& place : bucket(hash_of(get(ref)))) {
    if (place.ref != ref) continue;
    place = {};
    --shared_count_;
    break;
  }
  slab_.release(ref);
}

std::uint32_t MetaStore::users_of(SlabRef ref) const {
  std::uint32_t users = 0;
  std::memcpy(&users, slab_.get(ref).data(), sizeof users);
  return users;
}

void MetaStore::set_users(SlabRef ref, std::uint32_t users) {
  std::memcpy(slab_.edit(ref).data(), &users, sizeof users);
}

// The high half picks the bucket, the low half is compared.
std::span<MetaStore::Place> MetaStore::bucket(std::uint64_t hash) {
  return buckets_[static_cast<std::size_t>(((hash >> 32) * buckets_.size()) >> 32)].places;
}

}  // namespace starling
