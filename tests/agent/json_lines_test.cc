#include "agent/json_lines.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

TEST(JsonLines, OfKeysAndElements) {
  EXPECT_EQ(json_lines("{\"A\": 1,\n\n \"b\": [1,\n {\"C\":\n2}],\n\"d\\u0041\": null} x"),
            (JsonLines{{"a", 1}, {"b", 3}, {"b[0]", 3}, {"b[1]", 4}, {"b[1][C]", 4}, {"da", 6}}));
}

TEST(JsonLines, TextsDoNotConfuse) {
  EXPECT_EQ(json_lines("{\"a\": \"}\\\"\\n{\",\n\"b\": \"]\"}"), (JsonLines{{"a", 1}, {"b", 2}}));
}

TEST(JsonLines, MalformedEndsEarly) {
  EXPECT_EQ(json_lines("{\"a\": 1,\n\"b\" 2,\n\"c\": 3}"), (JsonLines{{"a", 1}}));
  EXPECT_TRUE(json_lines("").empty());
  EXPECT_TRUE(json_lines("\"").empty());
  EXPECT_TRUE(json_lines(std::string(100'000, '[')).size() <= json_lines_depth_max);
}

TEST(JsonLines, DeepValuesHaveNone) {
  const JsonLines lines = json_lines("{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":1}}}},\n\"z\":1}");
  EXPECT_TRUE(lines.contains("a[b][c][d]"));
  EXPECT_FALSE(lines.contains("a[b][c][d][e]"));
  EXPECT_EQ(lines.at("z"), 2U);
}

}  // namespace
}  // namespace starling::agent
