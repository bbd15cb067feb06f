#include "core/base/slab.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "core/base/rng.h"
#include "tests/support/alloc_counter.h"
#include "tests/support/arena_block.h"

namespace starling {
namespace {

struct Store {
  explicit Store(std::size_t bytes) : block(Slab::footprint(bytes)), slab(block.arena(), bytes) {}
  test::ArenaBlock block;
  Slab slab;
};

std::vector<std::byte> pattern(Rng& rng, std::size_t size) {
  std::vector<std::byte> bytes(size);
  rng.fill(bytes);
  return bytes;
}

TEST(Slab, KeepsStringsOfEveryLength) {
  Store store(1 << 22);
  Rng rng(1);
  for (const std::size_t size : {0, 1, 11, 12, 13, 20, 21, 28, 29, 1000, 49'148, 49'149, 65'532}) {
    const std::vector<std::byte> bytes = pattern(rng, size);
    const std::optional<SlabRef> ref = store.slab.put(bytes);
    ASSERT_TRUE(ref);
    EXPECT_NE(*ref, SlabRef::none);
    EXPECT_TRUE(equal(store.slab.get(*ref), bytes)) << size;
    EXPECT_EQ(store.slab.used_bytes(), Slab::block_bytes(size));
    store.slab.release(*ref);
    EXPECT_EQ(store.slab.used_bytes(), 0u);
  }
  const std::vector<std::byte> too_long(Slab::bytes_max + 1);
  EXPECT_FALSE(store.slab.put(too_long));
}

TEST(Slab, AReservedStringIsFilledInByItsOwner) {
  Store store(1000);
  const SlabRef ref = store.slab.reserve(5).value();
  const MutableBytes room = store.slab.edit(ref);
  ASSERT_EQ(room.size(), 5u);
  std::ranges::copy(as_bytes("hello"), room.begin());
  EXPECT_EQ(as_text(store.slab.get(ref)), "hello");
  EXPECT_FALSE(store.slab.reserve(Slab::bytes_max + 1));
  EXPECT_FALSE(store.slab.reserve(1000));
  store.slab.release(ref);
  EXPECT_EQ(store.slab.used_bytes(), 0u);
}

TEST(Slab, BlockSizesArePowersOfTwoAndTheHalvesBetween) {
  EXPECT_EQ(Slab::block_bytes(0), 16u);
  EXPECT_EQ(Slab::block_bytes(12), 16u);
  EXPECT_EQ(Slab::block_bytes(13), 24u);
  EXPECT_EQ(Slab::block_bytes(21), 32u);
  EXPECT_EQ(Slab::block_bytes(29), 48u);
  EXPECT_EQ(Slab::block_bytes(Slab::bytes_max), 65'536u);
}

TEST(Slab, FillsUpRefusesAndRecovers) {
  Store store(1024);
  std::vector<SlabRef> refs;
  const std::vector<std::byte> bytes(12);
  while (const std::optional<SlabRef> ref = store.slab.put(bytes)) refs.push_back(*ref);
  EXPECT_EQ(refs.size(), 1024u / 16);
  store.slab.release(refs.back());
  EXPECT_FALSE(store.slab.put(std::vector<std::byte>(13)));
  EXPECT_TRUE(store.slab.put(bytes));
  EXPECT_FALSE(store.slab.put(bytes));
}

TEST(Slab, TakesALargerFreeBlockRatherThanRefusing) {
  Store store(64);
  const SlabRef large = store.slab.put(std::vector<std::byte>(60)).value();
  store.slab.release(large);
  const SlabRef small = store.slab.put(std::vector<std::byte>(1)).value();
  EXPECT_EQ(store.slab.get(small).size(), 1u);
  EXPECT_EQ(store.slab.used_bytes(), 64u);
  store.slab.release(small);
  EXPECT_TRUE(store.slab.put(std::vector<std::byte>(60)));
}

TEST(Slab, AgreesWithAMapUnderRandomUse) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    Store store(20'000);
    std::map<std::uint32_t, std::vector<std::byte>> kept;
    std::size_t refused = 0;
    for (int step = 0; step < 5000; ++step) {
      if (rng.chance(0.6)) {
        const std::size_t longest = rng.chance(0.1) ? 2000 : 100;
        const std::vector<std::byte> bytes = pattern(rng, rng.below(longest));
        const std::optional<SlabRef> ref = store.slab.put(bytes);
        if (!ref) {
          ++refused;
          continue;
        }
        ASSERT_TRUE(kept.emplace(static_cast<std::uint32_t>(*ref), bytes).second);
      } else if (!kept.empty()) {
        const auto victim = std::next(kept.begin(), static_cast<long>(rng.below(kept.size())));
        ASSERT_TRUE(equal(store.slab.get(SlabRef{victim->first}), victim->second));
        store.slab.release(SlabRef{victim->first});
        kept.erase(victim);
      }
    }
    for (const auto& [ref, bytes] : kept) {
      ASSERT_TRUE(equal(store.slab.get(SlabRef{ref}), bytes));
    }
    EXPECT_GT(refused, 0u);
  }
}

TEST(Slab, AllocatesNothing) {
  Store store(10'000);
  const std::array<std::byte, 50> bytes{};
  const test::AllocationCounter allocations;
  for (int i = 0; i < 100; ++i) store.slab.release(store.slab.put(bytes).value());
  EXPECT_EQ(allocations.count(), 0u);
}

TEST(SlabDeath, ReleasingTwiceIsOurMistake) {
  Store store(1024);
  const SlabRef ref = store.slab.put({}).value();
  store.slab.release(ref);
  EXPECT_DEATH(store.slab.release(ref), "CHECK failed");
  EXPECT_DEATH(store.slab.release(SlabRef::none), "CHECK failed");
}

}  // namespace
}  // namespace starling
