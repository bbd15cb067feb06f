#include "agent/cli/completion_text.h"
#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

TEST(CompletionCommand, PrintsTheScriptOfTheShell) {
  const std::vector<Command> commands = all_commands();
  EXPECT_EQ(run_command(completion_command(), {"bash"}).out, bash_completion(commands));
  EXPECT_EQ(run_command(completion_command(), {"zsh"}).out, zsh_completion(commands));
  EXPECT_EQ(run_command(completion_command(), {"fish"}).out, fish_completion(commands));
}

TEST(CompletionCommand, WantsAShellThatItKnows) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{}, {"csh"}, {"bash", "zsh"}}) {
    const Outcome outcome = run_command(completion_command(), arguments);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_TRUE(outcome.out.starts_with("One shell must be named"));
  }
}

}  // namespace
}  // namespace starling::agent::cli
