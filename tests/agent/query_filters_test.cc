#include "agent/query_filters.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "core/serf/query_filter.h"

namespace starling::agent {
namespace {

bool let(std::vector<std::string_view> names, std::vector<TagFilter> tags, const Tags& own,
         std::string* problem = nullptr) {
  std::array<std::byte, 512> room, scratch;
  Writer out{MutableBytes(room)};
  const auto count = write_filters(names, tags, out, scratch);
  EXPECT_TRUE(count);
  return filters_let(BytesList(out.written(), *count), "self", own, problem);
}

TEST(QueryFilters, ExpressionsAreSearchedForAnywhere) {
  const Tags tags{{"role", "web-front"}, {"dc", "east"}};
  EXPECT_TRUE(let({}, {{"role", "b-f"}}, tags));
  EXPECT_TRUE(let({}, {{"role", "^web"}}, tags));
  EXPECT_FALSE(let({}, {{"role", "^front"}}, tags));
  EXPECT_TRUE(let({}, {{"role", "db|web"}}, tags));
  EXPECT_TRUE(let({}, {{"role", ""}}, tags));
}

TEST(QueryFilters, AMissingTagIsEmpty) {
  EXPECT_TRUE(let({}, {{"role", "^$"}}, {}));
  EXPECT_TRUE(let({}, {{"role", ".*"}}, {}));
  EXPECT_FALSE(let({}, {{"role", "."}}, {}));
}

TEST(QueryFilters, AllMustAgree) {
  const Tags tags{{"role", "web"}, {"dc", "east"}};
  EXPECT_TRUE(let({"self"}, {{"role", "web"}, {"dc", "east"}}, tags));
  EXPECT_FALSE(let({"self"}, {{"role", "web"}, {"dc", "west"}}, tags));
  EXPECT_FALSE(let({"other"}, {{"role", "web"}}, tags));
  EXPECT_TRUE(let({"other", "self"}, {}, {}));
}

TEST(QueryFilters, WhatDoesNotCompileMatchesNobodyAndIsSaid) {
  std::string problem;
  EXPECT_FALSE(let({}, {{"role", "(web"}}, {{"role", "web"}}, &problem));
  EXPECT_TRUE(problem.starts_with("failed to filter query regex ((web): ")) << problem;
}

}  // namespace
}  // namespace starling::agent
