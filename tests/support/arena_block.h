// A zeroed block of memory with an Arena over it, as a lane would have. For tests only.
#pragma once

#include <sys/mman.h>

#include <cstddef>

#include "core/base/arena.h"
#include "wire/base/check.h"

namespace starling::test {

// Pages are only taken when touched, so a generous size costs nothing.
class ArenaBlock {
 public:
  explicit ArenaBlock(std::size_t bytes) : memory_(map(bytes == 0 ? 1 : bytes)), arena_(memory_) {}
  ~ArenaBlock() { munmap(memory_.data(), memory_.size()); }
  ArenaBlock(const ArenaBlock&) = delete;
  ArenaBlock& operator=(const ArenaBlock&) = delete;

  Arena& arena() { return arena_; }

 private:
  static MutableBytes map(std::size_t bytes) {
    void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(memory != MAP_FAILED);
    return {static_cast<std::byte*>(memory), bytes};
  }

  MutableBytes memory_;
  Arena arena_;
};

}  // namespace starling::test
