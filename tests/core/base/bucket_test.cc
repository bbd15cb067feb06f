#include "core/base/bucket.h"

#include <gtest/gtest.h>

namespace starling {
namespace {

TEST(Bucket, IsTheTopTwelveBitsOfTheHash) {
  EXPECT_EQ(bucket_of(NameHash{0}), Bucket{0});
  EXPECT_EQ(bucket_of(NameHash{~0ull}), Bucket{bucket_count - 1});
  for (std::uint64_t bucket = 0; bucket < bucket_count; ++bucket) {
    const std::uint64_t first = bucket << 52;
    const std::uint64_t last = first | ((1ull << 52) - 1);
    ASSERT_EQ(bucket_of(NameHash{first}), Bucket{static_cast<std::uint16_t>(bucket)});
    ASSERT_EQ(bucket_of(NameHash{last}), Bucket{static_cast<std::uint16_t>(bucket)});
  }
}

}  // namespace
}  // namespace starling
