#include "agent/event_filter.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

std::vector<EventScript> scripts_of(std::string_view text) {
  auto parsed = parse_event_script(text);
  EXPECT_TRUE(parsed) << parsed.error();
  return parsed ? *parsed : std::vector<EventScript>{};
}

TEST(EventScript, WithoutFilterRunsForEverything) {
  EXPECT_EQ(scripts_of("./run.sh"), (std::vector<EventScript>{{{"*", ""}, "./run.sh"}}));
  EXPECT_EQ(scripts_of("=./run.sh"), (std::vector<EventScript>{{{"*", ""}, "./run.sh"}}));
  EXPECT_EQ(scripts_of(""), (std::vector<EventScript>{{{"*", ""}, ""}}));
}

TEST(EventScript, SplitsAtTheFirstEqualsSign) {
  EXPECT_EQ(scripts_of("user:a=b=c d"), (std::vector<EventScript>{{{"user", "a"}, "b=c d"}}));
  // A command with an equals sign and no filter is taken for a filter: Serf's trap.
  EXPECT_EQ(parse_event_script("A=1 ./run.sh").error(),
            "Invalid event script: Event 'A' invoking '1 ./run.sh'");
}

TEST(EventScript, EveryFilterIsItsOwnScript) {
  EXPECT_EQ(scripts_of("member-join,member-reap,query:q,user:,*=x"),
            (std::vector<EventScript>{{{"member-join", ""}, "x"},
                                      {{"member-reap", ""}, "x"},
                                      {{"query", "q"}, "x"},
                                      {{"user", ""}, "x"},
                                      {{"*", ""}, "x"}}));
}

TEST(EventScript, RefusesUnknownKindsAndDoesNotTrim) {
  EXPECT_EQ(parse_event_script("nope=cmd").error(),
            "Invalid event script: Event 'nope' invoking 'cmd'");
  EXPECT_EQ(parse_event_script("user, query=cmd").error(),
            "Invalid event script: Event ' query' invoking 'cmd'");
  EXPECT_EQ(parse_event_script("user,=cmd").error(),
            "Invalid event script: Event '' invoking 'cmd'");
  EXPECT_EQ(parse_event_script("member-join:x=cmd").error(),
            "Invalid event script: Event 'member-join:x' invoking 'cmd'");
}

TEST(EventFilter, MatchesByKindAndName) {
  const EventFilter any{"*", ""}, user{"user", ""}, deploy{"user", "deploy"}, load{"query", "load"};
  EXPECT_TRUE(any.matches("member-join", ""));
  EXPECT_TRUE(any.matches("query", "x"));
  EXPECT_TRUE(user.matches("user", "x"));
  EXPECT_FALSE(user.matches("query", "x"));
  EXPECT_TRUE(deploy.matches("user", "deploy"));
  EXPECT_FALSE(deploy.matches("user", "deploy2"));
  EXPECT_FALSE(deploy.matches("query", "deploy"));
  EXPECT_TRUE(load.matches("query", "load"));
  EXPECT_FALSE((EventFilter{"member-join", ""}.matches("member-leave", "")));
}

TEST(EventFilter, ListsAreSplitAtCommas) {
  EXPECT_EQ(parse_event_filters(""), (std::vector<EventFilter>{{"*", ""}}));
  EXPECT_EQ(parse_event_filters("user:a:b,query"),
            (std::vector<EventFilter>{{"user", "a:b"}, {"query", ""}}));
  EXPECT_FALSE(parse_event_filters("bad")[0].valid());
}

}  // namespace
}  // namespace starling::agent
