#include "agent/cli/command.h"
#include "agent/cli/completion_text.h"

namespace starling::agent::cli {
namespace {

Help completion_help() {
  return help_text("completion bash|zsh|fish",
                   "  Prints a script that makes a shell complete commands, flags and values.\n"
                   "  For bash: source <(starling completion bash). For zsh: put it as\n"
                   "  _starling into a folder of fpath. For fish: put it as starling.fish into\n"
                   "  ~/.config/fish/completions.\n",
                   FlagSet());
}

int run_completion(std::span<const std::string> arguments, Console& console) {
  FlagSet flags;
  const auto positional = parse_flags(flags, arguments, completion_help(), console);
  if (!positional) return positional.error();
  const std::string shell = positional->size() == 1 ? positional->front() : "";
  const std::vector<Command> commands = all_commands();
  if (shell == "bash") {
    console.out << bash_completion(commands);
  } else if (shell == "zsh") {
    console.out << zsh_completion(commands);
  } else if (shell == "fish") {
    console.out << fish_completion(commands);
  } else {
    return refuse("One shell must be named: bash, zsh or fish.", completion_help(), console);
  }
  return 0;
}

}  // namespace

Command completion_command() {
  return {"completion", "Print a completion script for a shell", completion_help(), run_completion};
}

}  // namespace starling::agent::cli
