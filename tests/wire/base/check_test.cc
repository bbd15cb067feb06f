#include "wire/base/check.h"

#include <gtest/gtest.h>

namespace {

TEST(Check, a_true_condition_goes_on) {
  int evaluations = 0;
  CHECK(++evaluations == 1);
  EXPECT_EQ(evaluations, 1);
}

TEST(CheckDeathTest, a_false_condition_names_place_and_text) {
  const int answer = 41;
  EXPECT_DEATH(CHECK(answer == 42), "check_test\\.cc:[0-9]+: CHECK failed: answer == 42");
}

TEST(Check, is_an_expression) {
  const bool fine = true;
  const int value = (CHECK(fine), 7);
  EXPECT_EQ(value, 7);
}

#ifndef NDEBUG
TEST(CheckDeathTest, dcheck_is_on_in_debug_builds) {
  const bool broken = false;
  EXPECT_DEATH(DCHECK(broken), "CHECK failed: broken");
}
#endif

}  // namespace
