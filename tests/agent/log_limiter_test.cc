#include "agent/log_limiter.h"

#include <string>

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

unsigned admitted(LogLimiter& limiter, std::string_view kind, Instant now, int tries) {
  unsigned count = 0;
  for (int i = 0; i < tries; ++i) count += limiter.admit(kind, now) ? 1 : 0;
  return count;
}

std::map<std::string, std::uint64_t> settled(LogLimiter& limiter) {
  std::map<std::string, std::uint64_t> sums;
  limiter.settle(
      [&](std::string_view kind, std::uint64_t lines) { sums[std::string(kind)] = lines; });
  return sums;
}

TEST(LogLimiter, BoundsEachKindASecondAndCountsTheRest) {
  LogLimiter limiter;
  EXPECT_EQ(admitted(limiter, "bad", Instant(10s), 100), LogLimiter::refused_lines_max);
  EXPECT_EQ(admitted(limiter, "other", Instant(10s), 3), 3U);
  EXPECT_EQ(admitted(limiter, "bad", Instant(10s + 999ms), 1), 0U);
  EXPECT_EQ(admitted(limiter, "bad", Instant(11s), 100), LogLimiter::refused_lines_max);
  EXPECT_EQ(settled(limiter), (std::map<std::string, std::uint64_t>{{"bad", 181}}));
  EXPECT_TRUE(settled(limiter).empty());
}

TEST(LogLimiter, AKindMayHaveABoundOfItsOwn) {
  LogLimiter limiter;
  unsigned count = 0;
  for (int i = 0; i < 50; ++i) count += limiter.admit("told", Instant(1s), 40) ? 1 : 0;
  EXPECT_EQ(count, 40U);
}

TEST(LogLimiter, SaysOnceThatSomethingIsOwing) {
  int calls = 0;
  LogLimiter limiter([&] { ++calls; });
  admitted(limiter, "bad", Instant(1s), LogLimiter::refused_lines_max);
  EXPECT_EQ(calls, 0);
  admitted(limiter, "bad", Instant(1s), 5);
  admitted(limiter, "other", Instant(1s), 50);
  EXPECT_EQ(calls, 1);
  settled(limiter);
  admitted(limiter, "bad", Instant(1s), 1);
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace starling::agent
