// Hashes of names and bytes: XXH3, inlined.
//
// Pure functions. Fast and well spread, but no defence against somebody who constructs collisions:
// whoever looks up by hash compares the bytes as well.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>
#include <string_view>

#include "wire/base/types.h"

namespace starling {

// XXH3 with 64 bits of a member's name. The same on every node, so buckets are cut from it.
enum class NameHash : std::uint64_t {};

constexpr std::uint64_t to_number(NameHash hash) {
  return static_cast<std::uint64_t>(hash);
}

inline NameHash hash_name(std::string_view name) {
  return NameHash{XXH3_64bits(name.data(), name.size())};
}

inline std::uint64_t hash_bytes(Bytes bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace starling
