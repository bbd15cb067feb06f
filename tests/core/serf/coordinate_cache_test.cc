#include "core/serf/coordinate_cache.h"

#include <deque>

#include <gtest/gtest.h>

#include "tests/support/arena_block.h"

namespace starling::test {
namespace {

struct CoordinateCacheFixture {
  explicit CoordinateCacheFixture(std::uint32_t entries_max)
      : block(CoordinateCache::footprint(entries_max)), cache(block.arena(), entries_max) {}
  void put(std::uint64_t hash) {
    cache.touch(NameHash{hash}).coordinate.height = static_cast<double>(hash);
  }
  bool has(std::uint64_t hash) {
    const CoordinateCache::Entry* entry = cache.find(NameHash{hash});
    if (entry != nullptr) {
      EXPECT_EQ(entry->coordinate.height, static_cast<double>(hash));
    }
    return entry != nullptr;
  }
  ArenaBlock block;
  CoordinateCache cache;
};

TEST(CoordinateCache, KeepsTheMostRecent) {
  CoordinateCacheFixture f(3);
  for (const std::uint64_t hash : {1, 2, 3}) f.put(hash);
  f.put(1);  // touched again: now 2 is the oldest
  f.put(4);
  EXPECT_TRUE(f.has(1));
  EXPECT_FALSE(f.has(2));
  EXPECT_TRUE(f.has(3));
  EXPECT_TRUE(f.has(4));
  EXPECT_EQ(f.cache.size(), 3u);
}

TEST(CoordinateCache, KeepsFilterAndCoordinateOfAnEntryThatIsTouchedAgain) {
  CoordinateCacheFixture f(2);
  CoordinateCache::Entry& entry = f.cache.touch(NameHash{7});
  entry.filter.push(3);
  entry.coordinate.height = 7;
  EXPECT_EQ(f.cache.touch(NameHash{7}).filter.push(1), 3) << "the larger of two samples";
  EXPECT_TRUE(f.has(7));
}

TEST(CoordinateCache, ForgetsAndUsesThePlaceAgain) {
  CoordinateCacheFixture f(2);
  f.put(1);
  f.put(2);
  f.cache.forget(NameHash{1});
  f.cache.forget(NameHash{99});
  EXPECT_FALSE(f.has(1));
  EXPECT_EQ(f.cache.size(), 1u);
  EXPECT_EQ(f.cache.touch(NameHash{3}).filter.push(5), 5) << "a new entry has an empty filter";
  f.put(3);
  EXPECT_TRUE(f.has(2));
  EXPECT_TRUE(f.has(3));
}

// Against the plainest model, with hashes that collide in the index.
TEST(CoordinateCache, DoesAsAListDoes) {
  constexpr std::uint32_t entries_max = 8;
  CoordinateCacheFixture f(entries_max);
  std::deque<std::uint64_t> model;  // oldest first
  Rng rng(11);
  for (int i = 0; i < 5'000; ++i) {
    const std::uint64_t hash = 1 + rng.below(24u) * 16 / 5;
    std::erase(model, hash);
    if (rng.chance(0.3)) {
      f.cache.forget(NameHash{hash});
    } else {
      f.put(hash);
      model.push_back(hash);
      if (model.size() > entries_max) model.pop_front();
    }
    ASSERT_EQ(f.cache.size(), model.size());
    for (std::uint64_t each = 0; each < 90; ++each) {
      ASSERT_EQ(f.has(each), std::ranges::find(model, each) != model.end()) << "step " << i;
    }
  }
}

}  // namespace
}  // namespace starling::test
