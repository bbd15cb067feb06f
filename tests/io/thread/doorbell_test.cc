#include "io/thread/doorbell.h"

#include <gtest/gtest.h>

#include <thread>

namespace starling::io {

namespace {

using std::chrono::milliseconds;

TEST(Doorbell, RingsUntilSilenced) {
  Doorbell bell;
  ASSERT_TRUE(bell.open());
  EXPECT_FALSE(bell.wait(milliseconds(0)));
  bell.ring();
  bell.ring();
  EXPECT_TRUE(bell.wait(milliseconds(0)));
  EXPECT_TRUE(bell.wait(milliseconds(0)));
  bell.silence();
  EXPECT_FALSE(bell.wait(milliseconds(0)));
  bell.ring();
  EXPECT_TRUE(bell.wait(milliseconds(0)));
}

TEST(Doorbell, LosesNothingBetweenTwoThreads) {
  Doorbell bell;
  ASSERT_TRUE(bell.open());
  constexpr std::uint64_t last = 20'000;
  std::atomic<std::uint64_t> written = 0;
  std::thread writer([&] {
    for (std::uint64_t i = 1; i <= last; ++i) {
      written.store(i, std::memory_order_relaxed);
      bell.ring();
    }
  });
  std::uint64_t seen = 0;
  // A bell that was lost would leave the reader asleep before the last number.
  while (seen < last && bell.wait(std::chrono::seconds(10))) {
    bell.silence();
    seen = written.load(std::memory_order_relaxed);
  }
  writer.join();
  EXPECT_EQ(seen, last);
}

}  // namespace

}  // namespace starling::io
