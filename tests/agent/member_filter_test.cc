#include "agent/member_filter.h"

#include <gtest/gtest.h>

#include "agent/tag_sets.h"

namespace starling::agent {
namespace {

const std::string web = encode_tags({{"role", "web"}});

MemberView member(std::string_view name) {
  return {.name = name, .endpoint = {}, .status = MemberStatus::alive, .versions = {}, .tags = web};
}

bool matches(const MembersFilteredRequest& request, const MemberView& view) {
  auto filter = MemberFilter::from(request);
  EXPECT_TRUE(filter);
  return filter && filter->matches(view);
}

TEST(MemberFilter, AnchoredWithoutAGroup) {
  EXPECT_TRUE(matches({.name = "a", .status = "", .tags = {}}, member("a")));
  EXPECT_FALSE(matches({.name = "a", .status = "", .tags = {}}, member("ab")));
  // ^a|b$
  EXPECT_TRUE(matches({.name = "a|b", .status = "", .tags = {}}, member("ax")));
  EXPECT_TRUE(matches({.name = "a|b", .status = "", .tags = {}}, member("xb")));
}

TEST(MemberFilter, EverythingMustMatch) {
  EXPECT_TRUE(matches({.name = "", .status = "alive", .tags = {{"role", "w.*"}}}, member("a")));
  EXPECT_FALSE(matches({.name = "", .status = "failed", .tags = {{"role", "w.*"}}}, member("a")));
  EXPECT_FALSE(matches({.name = "", .status = "", .tags = {{"role", "w"}}}, member("a")));
}

TEST(MemberFilter, EmptyTagExpressionWantsNoTag) {
  EXPECT_FALSE(matches({.name = "", .status = "", .tags = {{"role", ""}}}, member("a")));
  EXPECT_TRUE(matches({.name = "", .status = "", .tags = {{"dc", ""}}}, member("a")));
}

// Tags that are looked at again are not decoded again, and none is taken for another.
TEST(MemberFilter, ManyTagsOneAfterTheOther) {
  std::vector<std::string> tags;
  for (int i = 0; i < 2000; ++i) tags.push_back(encode_tags({{"n", std::to_string(i)}}));
  auto filter = MemberFilter::from({.name = "", .status = "", .tags = {{"n", "[0-9]*7"}}});
  ASSERT_TRUE(filter);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < tags.size(); ++i) {
      MemberView view = member("a");
      view.tags = tags[i];
      EXPECT_EQ(filter->matches(view), i % 10 == 7) << i;
    }
  }
}

TEST(MemberFilter, BadExpressions) {
  EXPECT_FALSE(MemberFilter::from({.name = "((", .status = "", .tags = {}}));
  EXPECT_FALSE(MemberFilter::from({.name = "", .status = "[", .tags = {}}));
  EXPECT_FALSE(MemberFilter::from({.name = "", .status = "", .tags = {{"a", "a**"}}}));
  EXPECT_FALSE(MemberFilter::from({.name = "(x{1000}){1000}", .status = "", .tags = {}}));
}

}  // namespace
}  // namespace starling::agent
