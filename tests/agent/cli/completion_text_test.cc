#include "agent/cli/completion_text.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/agent/temporary_folder.h"

namespace starling::agent::cli {
namespace {

std::vector<Command> some_commands() {
  static bool flag = false;
  static std::string text;
  static std::vector<std::string> list;
  FlagSet flags;
  flags.boolean({"all", "", "Don't stop [early]: go on."}, flag);
  flags.text({"format", "text|json", "How to\nprint."}, text);
  flags.text({"out", "file", "Where to."}, text);
  flags.list({"tag", "key=value", "A tag."}, list);
  std::vector<Command> commands;
  commands.push_back({"one", "The first's", help_text("one [options]", "  Does.\n", flags), {}});
  commands.push_back({"two", "The second", help_text("two", "  Does.\n", FlagSet()), {}});
  return commands;
}

TEST(CompletionText, OfBash) {
  const std::string script = bash_completion(some_commands());
  EXPECT_NE(script.find("compgen -W 'one two'"), std::string::npos);
  EXPECT_NE(script.find("one) flags='-all -format -out -tag' ;;"), std::string::npos);
  EXPECT_NE(script.find("'one -format') COMPREPLY=($(compgen -W 'text json'"), std::string::npos);
  EXPECT_NE(script.find("'one -out') COMPREPLY=($(compgen -f"), std::string::npos);
  EXPECT_NE(script.find("'one -tag') return ;;"), std::string::npos);
}

TEST(CompletionText, OfZsh) {
  const std::string script = zsh_completion(some_commands());
  EXPECT_TRUE(script.starts_with("#compdef starling\n"));
  EXPECT_NE(script.find(R"('one:The first'\''s')"), std::string::npos);
  EXPECT_NE(script.find(R"('-all[Don'\''t stop \[early\]\: go on.]')"), std::string::npos);
  EXPECT_NE(script.find("'-format=[How to print.]:text|json:(text json)'"), std::string::npos);
  EXPECT_NE(script.find("'-out=[Where to.]:file:_files'"), std::string::npos);
  EXPECT_NE(script.find("'*-tag=[A tag.]:key=value: '"), std::string::npos);
}

TEST(CompletionText, OfFish) {
  const std::string script = fish_completion(some_commands());
  EXPECT_NE(script.find(R"(-n __fish_use_subcommand -a one -d 'The first\'s')"), std::string::npos);
  EXPECT_NE(script.find("-n '__fish_seen_subcommand_from one' -o format -x -a 'text json'"),
            std::string::npos);
  EXPECT_NE(script.find(" -o out -r -F -d"), std::string::npos);
  EXPECT_NE(script.find(" -o all -d"), std::string::npos);
}

TEST(CompletionText, KnowsEveryCommandAndFlag) {
  const std::vector<Command> commands = all_commands();
  for (const std::string& script :
       {bash_completion(commands), zsh_completion(commands), fish_completion(commands)}) {
    for (const Command& command : commands) {
      EXPECT_NE(script.find(command.name), std::string::npos) << command.name;
      for (const FlagDescription& flag : command.help.flags) {
        EXPECT_NE(script.find(flag.text.name), std::string::npos) << flag.text.name;
      }
    }
  }
}

// What bash proposes for a line of words, the last of which is being typed.
std::string proposed(std::string_view words) {
  const TemporaryFolder folder;
  const std::string script = folder.path("completion");
  std::ofstream(script) << bash_completion(all_commands());
  const std::string out = folder.path("out");
  const std::string shell = "source " + script + "; COMP_WORDS=(" + std::string(words) +
                            "); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _starling; echo "
                            "\"${COMPREPLY[*]}\" > " +
                            out;
  EXPECT_EQ(std::system(("bash -c '" + shell + "'").c_str()), 0);
  std::ifstream file(out);
  std::string line;
  std::getline(file, line);
  return line;
}

TEST(CompletionText, BashProposesWhatFits) {
  EXPECT_EQ(proposed("starling memb"), "members");
  EXPECT_EQ(proposed("starling members -wa"), "-watch");
  EXPECT_EQ(proposed("starling members -format j"), "json");
  EXPECT_EQ(proposed("starling members -format = j"), "json");
  EXPECT_EQ(proposed("starling members -format ="), "text json");
  EXPECT_EQ(proposed("starling members -name x"), "");
}

}  // namespace
}  // namespace starling::agent::cli
