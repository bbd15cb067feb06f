// Histogram: durations in log-linear buckets, so that a percentile is right within 1 % at any size.
//
// The layout is HdrHistogram's: values below 256 us have a bucket each, above that every power of
// two is cut into 128 equal ones. A value is kept as whole microseconds; what is longer than
// `longest` counts as that. A plain value of 35 KiB; any thread, one at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/time.h"

namespace starling::agent::swarm {

class Histogram {
 public:
  // 2^36 us are 19 hours: longer than any run.
  static constexpr Duration longest = std::chrono::microseconds((std::uint64_t{1} << 36) - 1);

  Histogram();

  // A negative duration counts as zero.
  void record(Duration value);
  void merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  // Zero while nothing is recorded.
  Duration min() const;
  Duration max() const;
  Duration mean() const;
  // The smallest bucket end that at least `share` (0..1) of all values do not exceed, and never
  // more than max().
  Duration percentile(double share) const;

  struct Point {
    Duration value;  // the end of a bucket
    double share;    // of the values that are not longer
  };
  // The distribution, at most `points_max` points, the last with share 1. Empty when nothing is
  // recorded.
  std::vector<Point> distribution(std::size_t points_max) const;

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t sum_us_ = 0;
  std::uint64_t min_us_ = 0;
  std::uint64_t max_us_ = 0;
};

}  // namespace starling::agent::swarm
