#include "agent/durations.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

TEST(Durations, Parse) {
  EXPECT_EQ(*parse_duration("30s"), 30s);
  EXPECT_EQ(*parse_duration("300ms"), 300ms);
  EXPECT_EQ(*parse_duration("1.5h"), 90min);
  EXPECT_EQ(*parse_duration("2h45m"), 165min);
  EXPECT_EQ(*parse_duration("-1m0.5s"), -60'500ms);
  EXPECT_EQ(*parse_duration("0"), 0ns);
  EXPECT_EQ(*parse_duration("1us"), 1us);
  EXPECT_EQ(*parse_duration("1\u00b5s"), 1us);
  EXPECT_EQ(*parse_duration(".5s"), 500ms);
  EXPECT_EQ(*parse_duration("9223372036854775807ns"), Duration(INT64_MAX));
}

TEST(Durations, ErrorsAreGos) {
  EXPECT_EQ(parse_duration("1").error(), "time: missing unit in duration \"1\"");
  EXPECT_EQ(parse_duration("5x").error(), "time: unknown unit \"x\" in duration \"5x\"");
  EXPECT_EQ(parse_duration("zz").error(), "time: invalid duration \"zz\"");
  EXPECT_EQ(parse_duration("").error(), "time: invalid duration \"\"");
  EXPECT_EQ(parse_duration("-").error(), "time: invalid duration \"-\"");
  EXPECT_EQ(parse_duration(".s").error(), "time: invalid duration \".s\"");
  EXPECT_EQ(parse_duration("9223372036854775808ns").error(),
            "time: invalid duration \"9223372036854775808ns\"");
  EXPECT_EQ(parse_duration("3000000h").error(), "time: invalid duration \"3000000h\"");
}

TEST(Durations, Format) {
  EXPECT_EQ(format_duration(0ns), "0s");
  EXPECT_EQ(format_duration(30s), "30s");
  EXPECT_EQ(format_duration(60s), "1m0s");
  EXPECT_EQ(format_duration(24h), "24h0m0s");
  EXPECT_EQ(format_duration(1500ms), "1.5s");
  EXPECT_EQ(format_duration(2ms), "2ms");
  EXPECT_EQ(format_duration(1500ns), "1.5\u00b5s");
  EXPECT_EQ(format_duration(7ns), "7ns");
  EXPECT_EQ(format_duration(-90s), "-1m30s");
}

}  // namespace
}  // namespace starling::agent
