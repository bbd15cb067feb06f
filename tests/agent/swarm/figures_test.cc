#include "agent/swarm/figures.h"

#include <gtest/gtest.h>

namespace starling::agent::swarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Figures, Counts) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'000), "1 000");
  EXPECT_EQ(grouped(1'234'567), "1 234 567");
}

TEST(Figures, Bytes) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1536), "1.50 KiB");
  EXPECT_EQ(bytes_text(20.0 * (1u << 30)), "20.0 GiB");
  EXPECT_EQ(bytes_text(300.0 * (1u << 20)), "300 MiB");
}

TEST(Figures, Times) {
  EXPECT_EQ(time_text(std::chrono::microseconds(3'210)), "3.2 ms");
  EXPECT_EQ(time_text(milliseconds(1'230)), "1.23 s");
  EXPECT_EQ(time_text(milliseconds(12'340)), "12.3 s");
  EXPECT_EQ(time_text(seconds(125)), "2m05s");
  EXPECT_EQ(time_text(seconds(3'725)), "1h02m");
}

TEST(Figures, BarsFillEveryEighth) {
  for (int eighths = 0; eighths <= 80; ++eighths) {
    EXPECT_EQ(columns_of(bar(eighths / 80.0, 10)), 10u) << eighths;
  }
  EXPECT_EQ(bar(0, 4), "    ");
  EXPECT_EQ(bar(1, 4), "████");
  EXPECT_EQ(bar(2, 4), "████");
  EXPECT_EQ(bar(0.5, 4), "██  ");
  EXPECT_EQ(bar(0.125, 2), "▎ ");
}

TEST(Figures, Sparklines) {
  const std::vector<double> values = {9, 0, 1, 4, 8};
  EXPECT_EQ(sparkline(values, 4), " ▁▄█");
  EXPECT_EQ(sparkline({}, 4), "");
  EXPECT_EQ(sparkline(std::vector<double>{0, 0}, 4), "  ");
}

TEST(Figures, FittedKeepsColoursWhole) {
  EXPECT_EQ(fitted("abc", 5), "abc  ");
  EXPECT_EQ(fitted("abcdef", 3), "abc");
  EXPECT_EQ(fitted("▁▂▃", 2), "▁▂");
  EXPECT_EQ(fitted("\x1b[31mabcdef\x1b[0m", 3), "\x1b[31mabc\x1b[0m");
  EXPECT_EQ(columns_of("\x1b[31mab\x1b[0m"), 2u);
}

}  // namespace
}  // namespace starling::agent::swarm
