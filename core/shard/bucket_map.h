// Which shard owns which member: buckets of the name hash, permuted per node.
//
// Two nodes never cut the cluster the same way, so that nothing local to a shard repeats across the
// cluster. With one shard everything is its own. Immutable; shared by all lanes of a node.
#pragma once

#include <array>

#include "core/base/bucket.h"
#include "core/base/rng.h"

namespace starling {

enum class ShardId : std::uint8_t {};

class BucketMap {
 public:
  // Deals the buckets out evenly to `shards` shards, in an order drawn from `rng`.
  BucketMap(std::uint32_t shards, Rng& rng) {
    for (std::size_t i = 0; i < bucket_count; ++i) {
      owners_[i] = ShardId{static_cast<std::uint8_t>(i % shards)};
    }
    rng.shuffle(std::span(owners_));
  }
  ShardId owner(NameHash hash) const { return owner(bucket_of(hash)); }
  ShardId owner(Bucket bucket) const { return owners_[to_number(bucket)]; }

 private:
  std::array<ShardId, bucket_count> owners_;
};

}  // namespace starling
