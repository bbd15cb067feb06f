#include "core/base/time.h"

#include <gtest/gtest.h>

namespace starling {
namespace {

using namespace std::chrono_literals;

template <class T>
concept CanBeRead = requires {
  T::now();
};

TEST(Time, InstantsCompareAndTheClockCannotBeRead) {
  static_assert(!CanBeRead<Monotonic>);
  static_assert(CanBeRead<std::chrono::steady_clock>);
  const Instant start{};
  EXPECT_EQ(start + 1s - start, Duration(1'000'000'000));
  EXPECT_LT(start, start + 1ns);
}

}  // namespace
}  // namespace starling
