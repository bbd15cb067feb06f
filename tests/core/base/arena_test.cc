#include "core/base/arena.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/arena_block.h"

namespace starling {
namespace {

struct WithDefault {
  std::uint32_t value = 7;
};

bool on_cache_line(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address) % cache_line_bytes == 0;
}

TEST(Arena, HandsOutZeroedOrInitialisedArraysOnCacheLines) {
  test::ArenaBlock block(4096);
  Arena& arena = block.arena();
  const std::span<std::uint8_t> bytes = arena.make<std::uint8_t>(3);
  const std::span<WithDefault> sevens = arena.make<WithDefault>(5);
  const std::span<WithDefault> zeros = arena.make_zeroed<WithDefault>(5);
  EXPECT_TRUE(on_cache_line(bytes.data()));
  EXPECT_TRUE(on_cache_line(sevens.data()));
  for (const std::uint8_t byte : bytes) EXPECT_EQ(byte, 0);
  for (const WithDefault& seven : sevens) EXPECT_EQ(seven.value, 7u);
  for (const WithDefault& zero : zeros) EXPECT_EQ(zero.value, 0u);
  EXPECT_EQ(arena.used(), 3 * cache_line_bytes);
  EXPECT_EQ(arena.used() + arena.left(), 4096u);
}

TEST(Arena, MemoryOfPlainTypesIsNotTouched) {
  std::vector<std::byte> memory(1024, std::byte{0x5a});
  Arena arena(memory);
  EXPECT_EQ(arena.make<std::uint8_t>(1)[0], 0x5a);
}

TEST(Arena, FootprintsAddUpToWhatIsUsed) {
  for (std::size_t seed = 0; seed < 50; ++seed) {
    Footprint first, second;
    first.make<std::uint64_t>(seed);
    first.bytes(seed * 3 + 1);
    second.make_zeroed<WithDefault>(seed * 7);
    second.bytes(100, 256);
    Footprint sum;
    sum.add(first.total());
    sum.add(second.total());

    test::ArenaBlock block(sum.total());
    Arena& arena = block.arena();
    arena.make<std::uint64_t>(seed);
    arena.bytes(seed * 3 + 1);
    arena.make_zeroed<WithDefault>(seed * 7);
    const MutableBytes aligned = arena.bytes(100, 256);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(aligned.data()) % 256, 0u);
    EXPECT_LE(arena.used(), sum.total());
    EXPECT_LE(sum.total() - arena.used(), 256u);
  }
}

TEST(Arena, AStartOffTheCacheLineCostsTheRest) {
  alignas(cache_line_bytes) std::array<std::byte, 256> memory{};
  Arena arena(MutableBytes(memory).subspan(1));
  EXPECT_TRUE(on_cache_line(arena.bytes(1).data()));
  EXPECT_EQ(arena.used(), 63u + 64u);
  EXPECT_EQ(arena.bytes(128).size(), 128u);
  EXPECT_EQ(arena.left(), 0u);
}

TEST(ArenaDeath, ExhaustionIsOurMistake) {
  test::ArenaBlock block(256);
  Arena& arena = block.arena();
  arena.bytes(192);
  EXPECT_DEATH(arena.bytes(65), "CHECK failed");
  EXPECT_DEATH(arena.make<std::uint64_t>(~std::size_t{0}), "CHECK failed");
  EXPECT_EQ(arena.bytes(64).size(), 64u);
}

}  // namespace
}  // namespace starling
