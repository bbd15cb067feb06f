#include "sim/report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace starling::sim {
namespace {

TEST(Report, NamesEveryKindOnce) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < count_kinds; ++i) {
    const std::string_view name = to_text(static_cast<Count>(i));
    EXPECT_FALSE(name.empty());
    EXPECT_TRUE(seen.insert(name).second) << name;
  }
  EXPECT_EQ(to_text(Count::checks), "checks");
  EXPECT_EQ(to_text(Count::refutations), "refutations");
}

TEST(Report, SaysWhatWasNeverSeen) {
  Report first, second;
  first.add(Count::deaths);
  second.add(Count::partitions, 3);
  EXPECT_EQ(first.never_seen().size(), count_kinds - 1);
  first.merge(second);
  EXPECT_EQ(first[Count::partitions], 3U);
  const std::vector<Count> missing = first.never_seen();
  EXPECT_EQ(std::count(missing.begin(), missing.end(), Count::deaths), 0);
  EXPECT_EQ(std::count(missing.begin(), missing.end(), Count::crashes), 1);
}

}  // namespace
}  // namespace starling::sim
