// Slot: the row number of a member in its shard's table, and so its name everywhere in the shard.
#pragma once

#include <cstddef>
#include <cstdint>

namespace starling {

enum class Slot : std::uint32_t {};
constexpr Slot no_slot{0xffff'ffff};

constexpr std::uint32_t to_number(Slot slot) {
  return static_cast<std::uint32_t>(slot);
}
constexpr std::size_t index_of(Slot slot) {
  return static_cast<std::size_t>(slot);
}

}  // namespace starling
