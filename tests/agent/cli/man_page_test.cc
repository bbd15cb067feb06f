#include "agent/cli/man_page.h"

#include <gtest/gtest.h>

namespace starling::agent::cli {
namespace {

TEST(ManPage, TextIsShownAsItIs) {
  EXPECT_EQ(troff_text("a-b\\c"), "a\\-b\\ec");
  EXPECT_EQ(troff_text(".TH x\n'y"), "\\&.TH x\n\\&'y");
}

TEST(ManPage, OfACommand) {
  static std::string text;
  FlagSet flags;
  flags.text({"format", "text|json", "How to\nprint."}, text);
  const Command command{"one",
                        "Does one thing",
                        help_text("one [options] name", "  Does.\n  More.\n\n  Else.\n", flags),
                        {}};
  const std::string page = man_page(command);
  EXPECT_TRUE(page.starts_with(".TH STARLING-ONE 1 "));
  EXPECT_NE(page.find("starling\\-one \\- Does one thing\n"), std::string::npos);
  EXPECT_NE(page.find("\\fBstarling one\\fR [options] name\n"), std::string::npos);
  EXPECT_NE(page.find(".SH DESCRIPTION\nDoes.\nMore.\n.PP\nElse.\n"), std::string::npos);
  EXPECT_NE(page.find(".TP\n\\fB\\-format\\fR=\\fItext|json\\fR\nHow to\nprint.\n"),
            std::string::npos);
}

TEST(ManPage, EveryCommandAndFlagHasItsPlace) {
  const std::vector<Command> commands = all_commands();
  const std::string overview = man_overview(commands);
  for (const Command& command : commands) {
    EXPECT_NE(overview.find("starling\\-" + troff_text(command.name)), std::string::npos)
        << command.name;
    const std::string page = man_page(command);
    for (const FlagDescription& flag : command.help.flags) {
      EXPECT_NE(page.find("\\fB\\-" + troff_text(flag.text.name) + "\\fR"), std::string::npos)
          << command.name << " " << flag.text.name;
      EXPECT_NE(command.help.text.find("-" + std::string(flag.text.name)), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace starling::agent::cli
