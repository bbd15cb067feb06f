#include "core/base/hash.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace starling {
namespace {

TEST(Hash, NamesHashAsXxh3Does) {
  // The published value of XXH3_64bits for no input.
  EXPECT_EQ(to_number(hash_name("")), 0x2d06800538d394c2u);
  EXPECT_EQ(to_number(hash_name("node-1")), hash_bytes(as_bytes("node-1"), 0));
  EXPECT_NE(hash_bytes(as_bytes("node-1"), 1), hash_bytes(as_bytes("node-1"), 0));
}

TEST(Hash, SpreadsSimilarNames) {
  std::set<std::uint64_t> buckets;
  for (int i = 0; i < 4096; ++i) {
    buckets.insert(to_number(hash_name("node-" + std::to_string(i))) >> 52);
  }
  // 4096 balls into 4096 boxes leave about 63 % of the boxes filled.
  EXPECT_NEAR(static_cast<double>(buckets.size()), 0.632 * 4096, 100);
}

}  // namespace
}  // namespace starling
