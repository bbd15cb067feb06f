#include "core/base/token_bucket.h"

#include <gtest/gtest.h>

#include "core/base/rng.h"

namespace starling {
namespace {

using namespace std::chrono_literals;

TEST(TokenBucket, StartsFullAndRefillsWithTime) {
  TokenBucket bucket({.bytes_per_second = 1000, .burst = 200ms}, Instant{} + 5s);
  EXPECT_EQ(bucket.allowance(Instant{} + 5s), 200u);
  bucket.spend(150);
  EXPECT_EQ(bucket.allowance(Instant{} + 5s), 50u);
  EXPECT_EQ(bucket.allowance(Instant{} + 5s + 10ms), 60u);
  EXPECT_EQ(bucket.allowance(Instant{} + 5s + 10ms), 60u);
  EXPECT_EQ(bucket.allowance(Instant{} + 60s), 200u) << "not more than the burst";
  bucket.spend(1'000'000);
  EXPECT_EQ(bucket.allowance(Instant{} + 60s), 0u) << "no debt";
  EXPECT_EQ(bucket.allowance(Instant{} + 60s + 1ms), 1u);
}

TEST(TokenBucket, WithoutARateThereIsNothing) {
  TokenBucket bucket({}, Instant{});
  EXPECT_EQ(bucket.allowance(Instant{} + 100s), 0u);
  TokenBucket slow({.bytes_per_second = 0, .burst = 1s}, Instant{});
  EXPECT_EQ(slow.allowance(Instant{} + 1ms), 0u);
}

// However finely time is cut, what may be sent in all is the rate and one burst.
TEST(TokenBucket, LosesAndInventsNothing) {
  for (const std::uint64_t rate : {7ull, 999ull, 4'000'000ull, 1'000'000'000ull}) {
    Rng rng(rate);
    TokenBucket bucket({.bytes_per_second = rate, .burst = 1s}, Instant{});
    bucket.spend(rate);
    Instant now{};
    std::uint64_t sent = 0;
    while (now < Instant{} + 30s) {
      now += Duration(static_cast<std::int64_t>(rng.below(20'000'000ull)));
      const std::uint64_t allowed = bucket.allowance(now);
      bucket.spend(allowed);
      sent += allowed;
    }
    const auto seconds = static_cast<double>((now - Instant{}).count()) * 1e-9;
    EXPECT_NEAR(static_cast<double>(sent), static_cast<double>(rate) * seconds,
                2 + static_cast<double>(rate) * 1e-5);
  }
}

}  // namespace
}  // namespace starling
