#include <algorithm>
#include <filesystem>
#include <fstream>

#include "agent/cli/command.h"
#include "agent/cli/man_page.h"
#include "agent/go_text.h"

namespace starling::agent::cli {
namespace {

struct ManFlags {
  std::string folder;
  FlagSet flags() {
    FlagSet set;
    set.text({"dir", "folder", "Write all pages into this folder, which is made if need be."},
             folder);
    return set;
  }
};

Help man_help() {
  ManFlags options;
  return help_text("man [options] [command]",
                   "  Prints the manual page of this program, or of one of its commands, for\n"
                   "  man -l: starling man members | man -l -\n",
                   options.flags());
}

bool write_page(const std::filesystem::path& path, const std::string& page) {
  std::ofstream file(path);
  file << page;
  file.close();
  return file.good();
}

int write_all(const std::filesystem::path& folder, Console& console) {
  const std::vector<Command> commands = all_commands();
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  bool written = !problem && write_page(folder / "starling.1", man_overview(commands));
  for (const Command& command : commands) {
    const std::string file = "starling-" + std::string(command.name) + ".1";
    written = written && write_page(folder / file, man_page(command));
  }
  if (written) return 0;
  console.err << "Error: cannot write manual pages into " << folder.string() << "\n";
  return 1;
}

int run_man(std::span<const std::string> arguments, Console& console) {
  ManFlags options;
  FlagSet flags = options.flags();
  const auto positional = parse_flags(flags, arguments, man_help(), console);
  if (!positional) return positional.error();
  if (positional->size() > 1) return refuse("One command at most.", man_help(), console);
  if (!options.folder.empty()) return write_all(options.folder, console);
  const std::vector<Command> commands = all_commands();
  if (positional->empty()) {
    console.out << man_overview(commands);
    return 0;
  }
  const auto command = std::ranges::find(commands, positional->front(), &Command::name);
  if (command == commands.end()) {
    return refuse("There is no command " + go_quote(positional->front()) + ".", man_help(),
                  console);
  }
  console.out << man_page(*command);
  return 0;
}

}  // namespace

Command man_command() {
  return {"man", "Print a manual page", man_help(), run_man};
}

}  // namespace starling::agent::cli
