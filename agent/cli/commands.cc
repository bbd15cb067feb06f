#include <algorithm>
#include <iterator>

#include "agent/cli/command.h"

namespace starling::agent::cli {
namespace {

bool is_help(std::string_view argument) {
  return argument == "-h" || argument == "-help" || argument == "--help";
}

void print_usage(const std::vector<Command>& commands, std::ostream& out) {
  constexpr std::size_t name_width = 16;
  out << "Usage: starling [--version] [--help] <command> [<args>]\n\nAvailable commands are:\n";
  for (const Command& command : commands) {
    std::string name(command.name);
    name.resize(std::max(name_width, name.size() + 1), ' ');
    out << "    " << name << command.synopsis << "\n";
  }
  out << "\n";
}

}  // namespace

std::vector<Command> all_commands() {
  std::vector<Command> commands;
  commands.push_back(agent_command());
  commands.push_back(completion_command());
  commands.push_back(config_command());
  commands.push_back(decode_command());
  commands.push_back(event_command());
  commands.push_back(explain_command());
  commands.push_back(force_leave_command());
  commands.push_back(host_command());
  commands.push_back(hosted_command());
  commands.push_back(info_command());
  commands.push_back(join_command());
  commands.push_back(keygen_command());
  commands.push_back(keys_command());
  commands.push_back(leave_command());
  commands.push_back(man_command());
  commands.push_back(members_command());
  commands.push_back(monitor_command());
  commands.push_back(query_command());
  commands.push_back(reachability_command());
  commands.push_back(rtt_command());
  commands.push_back(swarm_command());
  commands.push_back(tags_command());
  commands.push_back(top_command());
  commands.push_back(unhost_command());
  commands.push_back(version_command());
  return commands;
}

int run(std::span<const std::string> arguments, Console& console) {
  const std::vector<Command> commands = all_commands();
  const auto end = std::ranges::find(arguments, "--");
  const bool help = std::any_of(arguments.begin(), end, is_help);
  if (std::any_of(arguments.begin(), end, [](std::string_view argument) {
        return argument == "-v" || argument == "--version";
      })) {
    return version_command().run({}, console);
  }

  const auto name = std::ranges::find_if(
      arguments, [](const std::string& argument) { return !argument.starts_with('-'); });
  const auto command =
      name == arguments.end() ? commands.end() : std::ranges::find(commands, *name, &Command::name);
  if (command == commands.end()) {
    print_usage(commands, console.err);
    return help && name == arguments.end() ? 0 : 127;
  }
  if (help) {
    console.err << command->help << "\n";
    return 0;
  }
  if (name != arguments.begin()) {
    console.err << "Flags of a command come after its name: starling " << command->name << " "
                << arguments.front() << "\n\n"
                << command->help << "\n";
    return 1;
  }
  return command->run(arguments.subspan(1), console);
}

}  // namespace starling::agent::cli
