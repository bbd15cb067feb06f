#include "agent/cli/member_printer.h"

#include <sstream>

#include <gtest/gtest.h>

namespace starling::agent::cli {
namespace {

MemberInfo member(std::string name) {
  return {.name = std::move(name),
          .address = IpAddress::v4(127, 0, 0, 1),
          .port = 7946,
          .tags = {{"a", "1"}, {"b", "2"}},
          .status = "alive",
          .versions = {}};
}

struct Printed {
  int status;
  std::string out;
};

Printed print(const std::string& format, const std::vector<std::string>& names) {
  std::ostringstream out;
  Console console{.out = out, .err = out};
  MemberPrinter printer(console, format, true);
  for (const std::string& name : names) printer.add(member(name));
  const int status = printer.finish();
  return {status, out.str()};
}

TEST(MemberPrinter, Columns) {
  const std::string rest =
      "127.0.0.1:7946  alive  a=1,b=2  Protocol Version: 5  Available Protocol Range: [2, 5]\n";
  EXPECT_EQ(print("text", {"x", "long"}).out, "x     " + rest + "long  " + rest);
  EXPECT_EQ(print("text", {}).out, "\n");
}

TEST(MemberPrinter, JsonComesAtOnce) {
  std::ostringstream out;
  Console console{.out = out, .err = out};
  MemberPrinter printer(console, "json", false);
  printer.add(member("x"));
  EXPECT_NE(out.str().find("\"name\": \"x\""), std::string::npos);
  EXPECT_EQ(printer.finish(), 0);
  EXPECT_TRUE(out.str().ends_with("    }\n  ]\n}\n"));
  EXPECT_EQ(print("json", {}).out, "{\n  \"members\": null\n}\n");
}

TEST(MemberPrinter, JsonThatBreaksOffIsStillJson) {
  for (const bool strict : {false, true}) {
    std::ostringstream out, err;
    Console console{.out = out, .err = err, .strict = strict, .json = true};
    MemberPrinter printer(console, "json", false);
    printer.add(member("x"));
    EXPECT_EQ(printer.fail("it is gone"), 1);
    const auto shown = nlohmann::json::parse(out.str());
    EXPECT_EQ(shown["members"].size(), 1u);
    EXPECT_EQ(shown["error"], "it is gone");
    EXPECT_EQ(err.str(), strict ? "{\"error\":\"it is gone\"}\n" : "");
  }
}

TEST(MemberPrinter, AListThatNeverBeganIsOnlyAnError) {
  std::ostringstream out, err;
  Console console{.out = out, .err = err, .json = true};
  EXPECT_EQ(MemberPrinter(console, "json", false).fail("it is gone"), 1);
  EXPECT_EQ(out.str(), "{\"error\":\"it is gone\"}\n");
}

TEST(MemberPrinter, ColumnsThatBreakOffAreNotShown) {
  std::ostringstream out, err;
  Console console{.out = out, .err = err};
  MemberPrinter printer(console, "text", false);
  printer.add(member("x"));
  EXPECT_EQ(printer.fail("it is gone"), 1);
  EXPECT_EQ(out.str(), "it is gone\n");
}

TEST(MemberPrinter, OtherFormatsAreRefused) {
  const Printed printed = print("xml", {"x"});
  EXPECT_EQ(printed.status, 1);
  EXPECT_EQ(printed.out, "Encoding error: Invalid output format \"xml\"\n");
}

}  // namespace
}  // namespace starling::agent::cli
