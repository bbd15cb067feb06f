#include "agent/swarm/histogram.h"

#include <cmath>

#include <gtest/gtest.h>

#include "core/base/rng.h"

namespace starling::agent::swarm {
namespace {

using std::chrono::microseconds;

Duration us(std::uint64_t value) {
  return microseconds(value);
}

TEST(Histogram, IsEmptyAtFirst) {
  const Histogram empty;
  EXPECT_EQ(empty.count(), 0u);
  EXPECT_EQ(empty.percentile(0.5), Duration::zero());
  EXPECT_EQ(empty.mean(), Duration::zero());
  EXPECT_TRUE(empty.distribution(10).empty());
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (std::uint64_t value = 0; value < 256; ++value) histogram.record(us(value));
  for (std::uint64_t rank = 1; rank <= 256; ++rank) {
    EXPECT_EQ(histogram.percentile(static_cast<double>(rank) / 256), us(rank - 1));
  }
}

// One value of any size comes back within 1 part in 128, never too small.
TEST(Histogram, EverySizeIsPrecise) {
  for (unsigned bits = 0; bits < 36; ++bits) {
    for (const std::uint64_t low :
         {std::uint64_t{0}, std::uint64_t{1}, (std::uint64_t{1} << bits) / 3}) {
      const std::uint64_t value = (std::uint64_t{1} << bits) + low;
      Histogram histogram;
      histogram.record(us(value));
      histogram.record(us(value * 2));
      const Duration found = histogram.percentile(0.5);
      EXPECT_GE(found, std::min(us(value), Histogram::longest));
      EXPECT_LE(found, us(value + value / 128)) << value;
    }
  }
}

TEST(Histogram, KeepsItsEnds) {
  Histogram histogram;
  histogram.record(us(0) - us(5));
  histogram.record(Histogram::longest + std::chrono::hours(1));
  EXPECT_EQ(histogram.min(), Duration::zero());
  EXPECT_EQ(histogram.max(), Histogram::longest);
  EXPECT_EQ(histogram.percentile(1), Histogram::longest);
}

TEST(Histogram, PercentilesMatchASortedList) {
  Rng rng(7);
  Histogram histogram;
  std::vector<Duration> all;
  for (int i = 0; i < 5'000; ++i) {
    all.push_back(us(rng.below(std::uint64_t{1} << rng.below(30u))));
    histogram.record(all.back());
  }
  std::ranges::sort(all);
  for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const Duration exact =
        all[static_cast<std::size_t>(std::ceil(share * static_cast<double>(all.size()))) - 1];
    EXPECT_GE(histogram.percentile(share), exact);
    EXPECT_LE(histogram.percentile(share), exact + exact / 128);
  }
  EXPECT_EQ(histogram.max(), all.back());
}

TEST(Histogram, MergedIsAsIfRecordedTogether) {
  Histogram one, two, both;
  for (std::uint64_t i = 1; i < 2'000; ++i) {
    (i % 3 == 0 ? one : two).record(us(i * i));
    both.record(us(i * i));
  }
  one.merge(two);
  one.merge(Histogram());
  EXPECT_EQ(one.count(), both.count());
  EXPECT_EQ(one.mean(), both.mean());
  EXPECT_EQ(one.min(), both.min());
  for (const double share : {0.01, 0.5, 0.99}) {
    EXPECT_EQ(one.percentile(share), both.percentile(share));
  }
}

TEST(Histogram, DistributionRisesToOne) {
  Histogram histogram;
  for (std::uint64_t i = 0; i < 10'000; ++i) histogram.record(us(i * 37));
  const auto points = histogram.distribution(50);
  ASSERT_GT(points.size(), 10u);
  EXPECT_LE(points.size(), 50u);
  for (std::size_t i = 1; i < points.size(); ++i) {
    EXPECT_GT(points[i].value, points[i - 1].value);
    EXPECT_GT(points[i].share, points[i - 1].share);
  }
  EXPECT_EQ(points.back().share, 1.0);
  EXPECT_EQ(points.back().value, histogram.max());
}

}  // namespace
}  // namespace starling::agent::swarm
