#include "agent/tag_text.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

TEST(ParseTags, SplitsAtTheFirstEquals) {
  EXPECT_EQ(*parse_tags({"a=b=c", "d="}), (Tags{{"a", "b=c"}, {"d", ""}}));
  EXPECT_EQ(parse_tags({"foo"}).error(), "Invalid tag: 'foo'");
  EXPECT_EQ(parse_tags({"=x"}).error(), "Invalid tag: '=x'");
}

}  // namespace
}  // namespace starling::agent
