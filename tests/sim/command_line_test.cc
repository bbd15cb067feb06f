#include "sim/command_line.h"

#include <gtest/gtest.h>

namespace starling::sim {
namespace {

using Task = CommandLine::Task;

std::expected<CommandLine, std::string> read(std::vector<std::string_view> arguments) {
  return read_command_line(arguments);
}

TEST(CommandLine, Tasks) {
  EXPECT_EQ(read({})->task, Task::help);
  EXPECT_EQ(read({"17"})->task, Task::trace);
  EXPECT_EQ(read({"17"})->seed, 17U);
  EXPECT_EQ(read({"--seeds", "5", "--first", "100"})->task, Task::campaign);
  EXPECT_EQ(read({"--seeds", "5", "--first", "100"})->first_seed, 100U);
  EXPECT_EQ(read({"--reduce", "9"})->task, Task::reduce);
  EXPECT_EQ(read({"--detect", "--nodes", "8"})->probe.nodes, 8U);
  EXPECT_EQ(read({"--disseminate", "--profile", "local"})->probe.profile, Profile::local);
  EXPECT_EQ(read({"5", "--help"})->task, Task::help);
}

TEST(CommandLine, FaultsToLeaveOut) {
  const auto line = read({"3", "--without", "crash,partition"});
  ASSERT_TRUE(line.has_value());
  EXPECT_TRUE(line->without[static_cast<std::size_t>(FaultKind::crash)]);
  EXPECT_TRUE(line->without[static_cast<std::size_t>(FaultKind::partition)]);
  EXPECT_EQ(line->without.count(), 2U);
}

TEST(CommandLine, SaysWhatIsWrong) {
  for (const std::vector<std::string_view>& wrong :
       std::vector<std::vector<std::string_view>>{{"x"},
                                                  {"1x"},
                                                  {"--seeds"},
                                                  {"--seeds", "many"},
                                                  {"--without", "meteor"},
                                                  {"--nodes", "1"},
                                                  {"--profile", "mars"},
                                                  {"--frobnicate", "1"},
                                                  {"--frobnicate"}}) {
    const auto line = read(wrong);
    ASSERT_FALSE(line.has_value()) << wrong[0];
    EXPECT_FALSE(line.error().empty());
  }
}

TEST(CommandLine, UsageNamesEveryKindOfFault) {
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    EXPECT_NE(usage().find(to_text(static_cast<FaultKind>(i))), std::string_view::npos);
  }
}

}  // namespace
}  // namespace starling::sim
