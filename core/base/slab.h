// Slab: byte strings of changing length (names, metas, queued messages) inside one fixed block.
//
// Blocks come in 25 sizes: powers of two from 16 to 65536 bytes and one size halfway between each
// two. They are carved from the block in order of need and go to a free list per size afterwards;
// a string takes the smallest size that holds it and its header of 4 bytes, or, when there is no
// room left to carve, the next larger free one. Owned by one shard, used by its thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/arena.h"
#include "wire/base/types.h"

namespace starling {

// Names one stored string. Knows its length through the block's header. Zero is none.
enum class SlabRef : std::uint32_t { none = 0 };

class Slab {
 public:
  static constexpr std::size_t header_bytes = 4;
  static constexpr std::size_t bytes_max = 65536 - header_bytes;  // of one string
  static constexpr std::size_t classes = 25;

  // `bytes`: room for all blocks together; at most 32 GiB.
  Slab(Arena& arena, std::size_t bytes);
  static std::size_t footprint(std::size_t bytes);

  // Copies `bytes` in. Nothing when the slab is full, or the string longer than bytes_max.
  std::optional<SlabRef> put(Bytes bytes);
  // The same, but the owner fills the string in with edit(); until then its bytes are anything.
  std::optional<SlabRef> reserve(std::size_t string_bytes);
  // Valid until release(ref).
  Bytes get(SlabRef ref) const;
  MutableBytes edit(SlabRef ref);
  void release(SlabRef ref);
  void prefetch(SlabRef ref) const { __builtin_prefetch(block(ref)); }

  // Whole blocks in use, headers and rounding included.
  std::size_t used_bytes() const { return used_bytes_; }
  std::size_t capacity_bytes() const { return memory_.size(); }
  // What one string of this length takes.
  static std::size_t block_bytes(std::size_t string_bytes);

 private:
  static constexpr std::size_t unit_bytes = 8;
  const std::byte* block(SlabRef ref) const {
    return memory_.data() + std::size_t{static_cast<std::uint32_t>(ref)} * unit_bytes;
  }
  std::optional<SlabRef> take_block(std::size_t size_class);

  MutableBytes memory_;
  std::size_t carved_bytes_;
  std::size_t used_bytes_ = 0;
  std::array<SlabRef, classes> free_{};
};

}  // namespace starling
