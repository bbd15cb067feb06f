// A block of zeroed memory with an arena over it. For tests only.
#pragma once

#include <vector>

#include "core/base/arena.h"

namespace starling::test {

class ArenaMemory {
 public:
  // As much as the objects say they need, and a cache line to align the start.
  explicit ArenaMemory(std::size_t footprint)
      : block_(footprint + cache_line_bytes), arena_(block_) {}
  Arena& arena() { return arena_; }

 private:
  std::vector<std::byte> block_;
  Arena arena_;
};

}  // namespace starling::test
