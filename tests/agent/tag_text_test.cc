#include "agent/tag_text.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

TEST(ParseTags, SplitsAtTheFirstEquals) {
  EXPECT_EQ(*parse_tags({"a=b=c", "d="}), (Tags{{"a", "b=c"}, {"d", ""}}));
  EXPECT_EQ(parse_tags({"foo"}).error(), "Invalid tag: 'foo'");
  EXPECT_EQ(parse_tags({"=x"}).error(), "Invalid tag: '=x'");
}

TEST(TagText, MetadataIsBounded) {
  EXPECT_TRUE(metadata_of({}, 5));
  EXPECT_EQ(metadata_of({{"k", "v"}}, 5)->front(), '\xff');
  EXPECT_EQ(metadata_of({{"k", std::string(600, 'v')}}, 5).error(),
            "Encoded length of tags exceeds limit of 512 bytes");
}

}  // namespace
}  // namespace starling::agent
