#include <algorithm>
#include <sstream>

#include <gtest/gtest.h>

#include "agent/cli/command.h"

namespace starling::agent::cli {
namespace {

struct Ran {
  int status;
  std::string out;
  std::string err;
};

Ran run_with(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  Console console{.out = out, .err = err};
  const int status = run(arguments, console);
  return {status, out.str(), err.str()};
}

TEST(Commands, NothingOrUnknownIsUsageAnd127) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{}, {"nonsense"}}) {
    const Ran ran = run_with(arguments);
    EXPECT_EQ(ran.status, 127);
    EXPECT_EQ(ran.out, "");
    EXPECT_TRUE(ran.err.starts_with("Usage: starling [--version] [--help] <command> [<args>]\n"));
  }
}

TEST(Commands, HelpGoesToErr) {
  const Ran top = run_with({"--help"});
  EXPECT_EQ(top.status, 0);
  EXPECT_NE(top.err.find("    members "), std::string::npos);
  const Ran members = run_with({"members", "-name", "x", "-h"});
  EXPECT_EQ(members.status, 0);
  EXPECT_EQ(members.out, "");
  EXPECT_TRUE(members.err.starts_with("Usage: starling members [options]\n"));
}

TEST(Commands, VersionAnywhere) {
  EXPECT_EQ(run_with({"members", "--version"}).out, run_with({"version"}).out);
  EXPECT_EQ(run_with({"-v"}).status, 0);
}

TEST(Commands, FlagsBeforeTheCommandAreRefused) {
  const Ran ran = run_with({"-x", "members"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_TRUE(ran.err.starts_with("Flags of a command come after its name"));
}

TEST(Commands, SortedAndWithHelp) {
  const std::vector<Command> commands = all_commands();
  EXPECT_TRUE(std::ranges::is_sorted(commands, {}, &Command::name));
  for (const Command& command : commands) {
    EXPECT_TRUE(command.help.text.starts_with("Usage: starling " + std::string(command.name)))
        << command.name;
    EXPECT_FALSE(command.synopsis.empty()) << command.name;
  }
}

}  // namespace
}  // namespace starling::agent::cli
