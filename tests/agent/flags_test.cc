#include "agent/flags.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

struct Example {
  std::string name;
  std::vector<std::string> list;
  bool on = false;
  std::optional<int> count;
  FlagSet flags;
  Example() {
    flags.text({"name", "x", "A name."}, name);
    flags.list({"list", "", "Several.\nSecond line."}, list);
    flags.boolean({"on", "", "Switch."}, on);
    flags.integer({"count", "", "Number."}, count);
  }
  std::expected<std::vector<std::string>, FlagError> parse(std::vector<std::string> arguments) {
    return flags.parse(arguments);
  }
};

TEST(Flags, AllForms) {
  Example e;
  const auto rest = e.parse(
      {"-name", "a b", "--list=1", "-list", "-2", "-on", "-count=-0x10", "p", "-name=late"});
  ASSERT_TRUE(rest) << rest.error().text;
  EXPECT_EQ(e.name, "a b");
  EXPECT_EQ(e.list, (std::vector<std::string>{"1", "-2"}));
  EXPECT_TRUE(e.on);
  EXPECT_EQ(e.count, -16);
  EXPECT_EQ(*rest, (std::vector<std::string>{"p", "-name=late"}));
  EXPECT_TRUE(e.flags.given("name"));
}

TEST(Flags, BooleansTakeValuesOnlyWithEquals) {
  Example e;
  EXPECT_EQ(*e.parse({"-on=false", "true"}), std::vector<std::string>{"true"});
  EXPECT_FALSE(e.on);
  EXPECT_EQ(*e.parse({"-on", "false"}), std::vector<std::string>{"false"});
  EXPECT_TRUE(e.on);
}

TEST(Flags, EndsAtDashDashAndSingleDash) {
  Example e;
  EXPECT_EQ(*e.parse({"--", "-on"}), std::vector<std::string>{"-on"});
  EXPECT_EQ(*e.parse({"-", "-on"}), (std::vector<std::string>{"-", "-on"}));
  EXPECT_FALSE(e.on);
  EXPECT_FALSE(e.flags.given("on"));
}

TEST(Flags, EmptyValue) {
  Example e;
  e.name = "before";
  ASSERT_TRUE(e.parse({"-name="}));
  EXPECT_EQ(e.name, "");
}

TEST(Flags, ErrorsAreGos) {
  Example e;
  EXPECT_EQ(e.parse({"-x"}).error().text, "flag provided but not defined: -x");
  EXPECT_EQ(e.parse({"--x=1"}).error().text, "flag provided but not defined: -x");
  EXPECT_EQ(e.parse({"---x"}).error().text, "bad flag syntax: ---x");
  EXPECT_EQ(e.parse({"-=x"}).error().text, "bad flag syntax: -=x");
  EXPECT_EQ(e.parse({"-name"}).error().text, "flag needs an argument: -name");
  EXPECT_EQ(e.parse({"-on=maybe"}).error().text,
            "invalid boolean value \"maybe\" for -on: parse error");
  EXPECT_EQ(e.parse({"-count", "x"}).error().text,
            "invalid value \"x\" for flag -count: parse error");
  EXPECT_EQ(e.parse({"-count", "99999999999999999999"}).error().text,
            "invalid value \"99999999999999999999\" for flag -count: value out of range");
  EXPECT_TRUE(e.parse({"-h"}).error().help_wanted);
}

TEST(Flags, Usage) {
  EXPECT_EQ(Example().flags.usage(),
            "  -name=x                   A name.\n"
            "  -list                     Several.\n"
            "                            Second line.\n"
            "  -on                       Switch.\n"
            "  -count                    Number.\n");
}

}  // namespace
}  // namespace starling::agent
