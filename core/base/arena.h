// Arena: hands out one block of memory piece by piece; Footprint sums the pieces beforehand.
//
// A lane owns its block (fresh from mmap, so zeroed) and gives it to an Arena once, at start.
// Nothing is given back before the whole block goes. Every piece starts on a cache line, so sizes
// add up in any order: the sum of the parts' footprints is the size of the block. An exhausted
// arena is a wrong sum, hence a CHECK. Used by the thread that builds the lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#include "wire/base/check.h"
#include "wire/base/types.h"

namespace starling {

constexpr std::size_t cache_line_bytes = 64;

constexpr std::size_t round_up(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// Memory whose bytes are all zero is a valid array of these.
template <class T>
concept ZeroBytesAreAValue = std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>;

class Arena {
 public:
  // `memory` must be zeroed and outlive everything made here. A start that is not on a cache line
  // costs the bytes up to the next one.
  explicit Arena(MutableBytes memory) : memory_(memory) {
    const auto start = reinterpret_cast<std::uintptr_t>(memory.data());
    used_ = round_up(start, cache_line_bytes) - start;
    CHECK(used_ <= memory.size());
  }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // An array of value-initialised T. Types without default initialisers are zero because the
  // block is: their memory is not touched, so a large table costs no page until it is used.
  template <class T>
  std::span<T> make(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>, "nobody destroys what lies in an arena");
    T* const first = place<T>(count);
    if constexpr (!std::is_trivially_default_constructible_v<T>) {
      std::uninitialized_value_construct_n(first, count);
    }
    return {first, count};
  }

  // The same for types with default initialisers where all bits zero serves as well: the memory
  // is not touched.
  template <ZeroBytesAreAValue T>
  std::span<T> make_zeroed(std::size_t count) {
    return {place<T>(count), count};
  }

  MutableBytes bytes(std::size_t count, std::size_t align = cache_line_bytes) {
    const auto start = reinterpret_cast<std::uintptr_t>(memory_.data());
    const std::size_t at =
        round_up(start + used_, align < cache_line_bytes ? cache_line_bytes : align) - start;
    CHECK(at <= memory_.size() && count <= memory_.size() - at);
    // The last piece may end inside a cache line that the block does not have in full.
    used_ = std::min(round_up(at + start + count, cache_line_bytes) - start, memory_.size());
    return memory_.subspan(at, count);
  }

  std::size_t used() const { return used_; }
  std::size_t left() const { return memory_.size() - used_; }

 private:
  template <class T>
  T* place(std::size_t count) {
    CHECK(count <= memory_.size() / sizeof(T));
    return std::launder(reinterpret_cast<T*>(bytes(count * sizeof(T), alignof(T)).data()));
  }

  MutableBytes memory_;
  std::size_t used_ = 0;
};

// The same calls as Arena, but only counting.
class Footprint {
 public:
  template <class T>
  void make(std::size_t count) {
    bytes(count * sizeof(T), alignof(T));
  }
  template <ZeroBytesAreAValue T>
  void make_zeroed(std::size_t count) {
    make<T>(count);
  }
  void bytes(std::size_t count, std::size_t align = cache_line_bytes) {
    // An alignment above the cache line may cost up to the difference, wherever the block starts.
    total_ += round_up(count, cache_line_bytes);
    if (align > cache_line_bytes) total_ += align - cache_line_bytes;
  }
  // Adds what another class says it needs.
  void add(std::size_t footprint) { total_ += round_up(footprint, cache_line_bytes); }

  std::size_t total() const { return total_; }

 private:
  std::size_t total_ = 0;
};

}  // namespace starling
