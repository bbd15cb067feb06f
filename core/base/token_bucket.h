// TokenBucket: an allowance that grows with time, in bytes, up to what an interval brings.
//
// For traffic that may follow the load up to a rate. Owned by whoever sends, used by its thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/time.h"
#include "wire/base/check.h"

namespace starling {

class TokenBucket {
 public:
  struct Rate {
    std::uint64_t bytes_per_second = 0;  // at most bytes_per_second_max; zero: never any allowance
    Duration burst{};                    // the allowance is at most what this long brings; <= 1 s
  };
  static constexpr std::uint64_t bytes_per_second_max = 1'000'000'000;

  // Starts full.
  TokenBucket(Rate rate, Instant start)
      : rate_(rate), refilled_(start), allowance_(bytes_in(rate.burst)) {
    CHECK(rate.bytes_per_second <= bytes_per_second_max);
    CHECK(rate.burst >= Duration::zero() && rate.burst <= second);
  }

  // What may be sent at `now`, which never goes back.
  std::uint64_t allowance(Instant now) {
    const Duration passed = now - refilled_;
    if (passed >= rate_.burst) {
      allowance_ = bytes_in(rate_.burst);
      refilled_ = now;
      return allowance_;
    }
    const std::uint64_t gained = bytes_in(passed);
    if (gained == 0) return allowance_;
    // Only the time that whole bytes took is used up, so that no fraction is lost.
    refilled_ +=
        Duration(static_cast<std::int64_t>(gained * ns_per_second / rate_.bytes_per_second));
    allowance_ = std::min(allowance_ + gained, bytes_in(rate_.burst));
    return allowance_;
  }
  // Sending more than the allowance leaves none, no debt.
  void spend(std::uint64_t bytes) { allowance_ -= std::min(allowance_, bytes); }

 private:
  static constexpr Duration second = std::chrono::seconds(1);
  static constexpr std::uint64_t ns_per_second = 1'000'000'000;
  // At most one second: the product fits 64 bits.
  std::uint64_t bytes_in(Duration duration) const {
    return rate_.bytes_per_second * static_cast<std::uint64_t>(duration.count()) / ns_per_second;
  }

  Rate rate_;
  Instant refilled_;
  std::uint64_t allowance_;
};

}  // namespace starling
