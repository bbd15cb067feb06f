// Bucket: the top twelve bits of a member's name hash. The same on every node.
//
// Buckets are what members are dealt out by (core/shard/bucket_map.h) and what tables are compared
// by (core/digest/digest_table.h). Values and pure functions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/hash.h"

namespace starling {

enum class Bucket : std::uint16_t {};

inline constexpr std::uint32_t bucket_bits = 12;
inline constexpr std::size_t bucket_count = std::size_t{1} << bucket_bits;

constexpr Bucket bucket_of(NameHash hash) {
  return Bucket{static_cast<std::uint16_t>(to_number(hash) >> (64 - bucket_bits))};
}
constexpr std::uint32_t to_number(Bucket bucket) {
  return static_cast<std::uint32_t>(bucket);
}

}  // namespace starling
