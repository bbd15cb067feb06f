// Counts heap allocations, to show that a path makes none. For tests only.
//
// Linking this replaces the global operator new of the test program. The count is per thread, so
// other threads of a test do not disturb it.
#pragma once

#include <cstddef>

namespace starling::test {

// Counts the allocations of this thread since its construction:
//   AllocationCounter allocations; decode(...); EXPECT_EQ(allocations.count(), 0u);
class AllocationCounter {
 public:
  AllocationCounter();
  std::size_t count() const;

 private:
  std::size_t before_;
};

}  // namespace starling::test
