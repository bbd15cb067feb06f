#include "agent/member_filter.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

MemberInfo member(const std::string& name) {
  MemberInfo info;
  info.name = name;
  info.status = "alive";
  info.tags = {{"role", "web"}};
  return info;
}

bool matches(const MembersFilteredRequest& request, const MemberInfo& info) {
  const auto filter = MemberFilter::from(request);
  EXPECT_TRUE(filter);
  return filter && filter->matches(info);
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

TEST(MemberFilter, BadExpressions) {
  EXPECT_FALSE(MemberFilter::from({.name = "((", .status = "", .tags = {}}));
  EXPECT_FALSE(MemberFilter::from({.name = "", .status = "[", .tags = {}}));
  EXPECT_FALSE(MemberFilter::from({.name = "", .status = "", .tags = {{"a", "a**"}}}));
  EXPECT_FALSE(MemberFilter::from({.name = "(x{1000}){1000}", .status = "", .tags = {}}));
}

}  // namespace
}  // namespace starling::agent
