// A digest table with its memory, and marks to fill it with.
#pragma once

#include <vector>

#include "core/base/rng.h"
#include "core/digest/digest_table.h"
#include "tests/support/arena_block.h"

namespace starling::test {

struct Table {
  ArenaBlock block;
  DigestTable digest;
  explicit Table(std::uint32_t cells = 100, const DigestKey& key = DigestKey())
      : block(DigestTable::footprint(cells) + cache_line_bytes),
        digest(block.arena(), key, cells) {}
};

inline std::vector<Mark> random_marks(std::size_t count, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<Mark> marks(count);
  for (Mark& mark : marks) mark = {Symbol{rng.next()}, rng.next()};
  return marks;
}

}  // namespace starling::test
