#include "io/mapped_memory.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace starling::io {

namespace {

TEST(MappedMemory, IsZeroedAlignedAndWritable) {
  auto memory = MappedMemory::map({.bytes = 1u << 20, .huge_pages = true});
  ASSERT_TRUE(memory) << memory.error();
  const MutableBytes bytes = memory->bytes();
  ASSERT_EQ(bytes.size(), 1u << 20);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % 4096, 0U);
  EXPECT_TRUE(std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; }));
  std::ranges::fill(bytes, std::byte{7});
  EXPECT_EQ(bytes[12'345], std::byte{7});
}

TEST(MappedMemory, MovesItsBlock) {
  auto memory = MappedMemory::map({.bytes = 4096});
  ASSERT_TRUE(memory);
  const std::byte* const start = memory->bytes().data();
  MappedMemory other = std::move(*memory);
  EXPECT_EQ(other.bytes().data(), start);
  EXPECT_TRUE(memory->bytes().empty());
  *memory = std::move(other);
  EXPECT_EQ(memory->bytes().data(), start);
}

TEST(MappedMemory, SaysWhatItCouldNotMap) {
  const auto memory = MappedMemory::map({.bytes = std::size_t{1} << 62});
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error(), "map 4611686018427387904 bytes of memory: cannot allocate memory");
}

}  // namespace

}  // namespace starling::io
