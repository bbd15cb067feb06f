#include "agent/swarm/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace starling::agent::swarm {
namespace {

// Buckets to one power of two, and how many of the smallest values have one of their own.
constexpr unsigned half_bits = 7;
constexpr std::uint64_t half = 1u << half_bits;
constexpr unsigned value_bits = 36;
constexpr std::size_t bucket_count = (value_bits - half_bits + 1) * half;

// A value below 2 * half is its own bucket; above, its top eight bits choose.
std::size_t bucket_of(std::uint64_t us) {
  const auto bits = static_cast<unsigned>(std::bit_width(us));
  const unsigned shift = bits > half_bits + 1 ? bits - half_bits - 1 : 0;
  return static_cast<std::size_t>(shift * half + (us >> shift));
}

std::uint64_t end_of(std::size_t bucket) {
  if (bucket < 2 * half) return bucket;
  const std::uint64_t shift = bucket / half - 1;
  return ((bucket - shift * half + 1) << shift) - 1;
}

Duration from_us(std::uint64_t us) {
  return std::chrono::microseconds(us);
}

}  // namespace

Histogram::Histogram() : buckets_(bucket_count) {}

void Histogram::record(Duration value) {
  value = std::clamp(value, Duration::zero(), longest);
  const auto us = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(value).count());
  ++buckets_[bucket_of(us)];
  min_us_ = count_ == 0 ? us : std::min(min_us_, us);
  max_us_ = std::max(max_us_, us);
  sum_us_ += us;
  ++count_;
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ == 0) return;
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  min_us_ = count_ == 0 ? other.min_us_ : std::min(min_us_, other.min_us_);
  max_us_ = std::max(max_us_, other.max_us_);
  sum_us_ += other.sum_us_;
  count_ += other.count_;
}

Duration Histogram::min() const {
  return from_us(min_us_);
}

Duration Histogram::max() const {
  return from_us(max_us_);
}

Duration Histogram::mean() const {
  return count_ == 0 ? Duration::zero() : from_us(sum_us_ / count_);
}

Duration Histogram::percentile(double share) const {
  if (count_ == 0) return Duration::zero();
  const double wanted = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_));
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= rank) return from_us(std::min(end_of(i), max_us_));
  }
  return max();
}

std::vector<Histogram::Point> Histogram::distribution(std::size_t points_max) const {
  std::vector<Point> points;
  if (count_ == 0 || points_max == 0) return points;
  // A point is skipped while less than one part in points_max has come since the last one.
  const std::uint64_t step = count_ / points_max + 1;
  std::uint64_t seen = 0;
  std::uint64_t shown = 0;
  for (std::size_t i = 0; i < buckets_.size() && seen < count_; ++i) {
    if (buckets_[i] == 0) continue;
    seen += buckets_[i];
    if (seen < count_ && seen - shown < step) continue;
    shown = seen;
    points.push_back({from_us(std::min(end_of(i), max_us_)),
                      static_cast<double>(seen) / static_cast<double>(count_)});
  }
  return points;
}

}  // namespace starling::agent::swarm
