#include "agent/cli/colour.h"

#include <cstdlib>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace starling::agent::cli {
namespace {

TEST(Colour, PaintsBetweenEscapes) {
  EXPECT_EQ(paint("alive", Colour::green), "\x1b[32malive\x1b[0m");
  EXPECT_EQ(paint("plain", Colour::none), "plain");
}

TEST(Colour, OnlyOnTerminals) {
  const int file = open("/dev/null", O_WRONLY | O_CLOEXEC);
  EXPECT_FALSE(wants_colour(file));
  close(file);
}

TEST(Colour, NoColorSwitchesItOff) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) GTEST_SKIP() << "no pseudo terminals here";
  unsetenv("NO_COLOR");
  setenv("TERM", "xterm", 1);
  EXPECT_TRUE(wants_colour(terminal));
  setenv("TERM", "dumb", 1);
  EXPECT_FALSE(wants_colour(terminal));
  setenv("TERM", "xterm", 1);
  setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(wants_colour(terminal));
  unsetenv("NO_COLOR");
  close(terminal);
}

TEST(Colour, StatesAndLevels) {
  EXPECT_EQ(colour_of_status("alive"), Colour::green);
  EXPECT_EQ(colour_of_status("failed"), Colour::red);
  EXPECT_EQ(colour_of_status("left"), Colour::grey);
  EXPECT_EQ(colour_of_status("leaving"), Colour::yellow);
  EXPECT_EQ(colour_of_status("none"), Colour::none);
  EXPECT_EQ(colour_of_log_line("2026/01/01 00:00:00 [ERR] agent: x"), Colour::red);
  EXPECT_EQ(colour_of_log_line("2026/01/01 00:00:00 [WARN] agent: x"), Colour::yellow);
  EXPECT_EQ(colour_of_log_line("2026/01/01 00:00:00 [INFO] agent: x"), Colour::none);
}

}  // namespace
}  // namespace starling::agent::cli
