#include <filesystem>

#include "agent/cli/man_page.h"
#include "tests/agent/cli/replay.h"
#include "tests/agent/temporary_folder.h"

namespace starling::agent::cli {
namespace {

TEST(ManCommand, PrintsAPage) {
  EXPECT_EQ(run_command(man_command(), {}).out, man_overview(all_commands()));
  EXPECT_EQ(run_command(man_command(), {"members"}).out, man_page(members_command()));
}

TEST(ManCommand, RefusesWhatThereIsNot) {
  const Outcome outcome = run_command(man_command(), {"nonsense"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(outcome.out.starts_with("There is no command \"nonsense\".\n"));
  EXPECT_EQ(run_command(man_command(), {"-dir=/proc/none"}).status, 1);
}

TEST(ManCommand, WritesThemAll) {
  const TemporaryFolder folder;
  const std::filesystem::path pages = folder.path("man1");
  EXPECT_EQ(run_command(man_command(), {"-dir=" + pages.string()}).status, 0);
  EXPECT_TRUE(std::filesystem::exists(pages / "starling.1"));
  for (const Command& command : all_commands()) {
    const std::string file = "starling-" + std::string(command.name) + ".1";
    EXPECT_TRUE(std::filesystem::exists(pages / file)) << file;
  }
}

}  // namespace
}  // namespace starling::agent::cli
