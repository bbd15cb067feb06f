// Buckets: the name hashes cut into 4096 ranges of equal width, the same on every node.
//
// What shards divide the members by, and what anti-entropy compares. Pure values.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/hash.h"

namespace starling {

enum class Bucket : std::uint16_t {};

inline constexpr std::size_t bucket_count = 4096;

constexpr Bucket bucket_of(NameHash hash) {
  return Bucket{static_cast<std::uint16_t>(static_cast<std::uint64_t>(hash) >> 52)};
}

}  // namespace starling
