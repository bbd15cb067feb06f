#include "agent/cli/json_text.h"

#include <sstream>

#include <gtest/gtest.h>

namespace starling::agent::cli {
namespace {

std::string members_json(const std::vector<MemberInfo>& members) {
  std::ostringstream out;
  MembersJson json(out);
  for (const MemberInfo& member : members) json.add(member);
  json.finish();
  return out.str();
}

TEST(JsonText, NoMembersIsNull) {
  EXPECT_EQ(members_json({}), "{\n  \"members\": null\n}");
}

TEST(JsonText, EmptyTagsAndEscapes) {
  const MemberInfo member{.name = "<a>",
                          .address = IpAddress::v4(127, 0, 0, 1),
                          .port = 1,
                          .tags = {},
                          .status = "failed",
                          .versions = {}};
  EXPECT_EQ(members_json({member}),
            "{\n  \"members\": [\n    {\n      \"name\": \"\\u003ca\\u003e\",\n"
            "      \"addr\": \"127.0.0.1:1\",\n      \"port\": 1,\n      \"tags\": {},\n"
            "      \"status\": \"failed\",\n      \"protocol\": {\n        \"max\": 5,\n"
            "        \"min\": 2,\n        \"version\": 5\n      }\n    }\n  ]\n}");
}

TEST(JsonText, StatsAreNested) {
  EXPECT_EQ(stats_json({{"agent", {{"name", "a"}}}, {"event_handlers", {}}}),
            "{\n  \"agent\": {\n    \"name\": \"a\"\n  },\n  \"event_handlers\": {}\n}");
}

}  // namespace
}  // namespace starling::agent::cli
