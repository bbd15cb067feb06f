#include <filesystem>

#include "agent/cli/command.h"
#include "agent/config_file.h"

namespace starling::agent::cli {
namespace {

Help config_help() {
  FormatFlag format;
  FlagSet flags;
  format.define(flags);
  return help_text("config check [options] path ...",
                   "  Reads configuration files, and folders of them, as an agent would: in their\n"
                   "  order, later ones over earlier ones. Says what is wrong and in which line.\n"
                   "  The exit status is 0 when an agent could start with them.\n",
                   flags);
}

int run_config(std::span<const std::string> arguments, Console& console) {
  FormatFlag format;
  FlagSet flags;
  format.define(flags);
  const auto positional = parse_flags(flags, arguments, config_help(), console);
  if (!positional) return positional.error();
  if (positional->empty() || positional->front() != "check") {
    return refuse("What to do must be said: config check, and at least one path.", config_help(),
                  console);
  }
  const auto given = parse_flags(flags, std::span(*positional).subspan(1), config_help(), console);
  if (!given) return given.error();
  if (const auto problem = format.problem()) return console.fail(*problem);
  if (given->empty()) {
    return refuse("What to do must be said: config check, and at least one path.", config_help(),
                  console);
  }
  std::vector<ConfigPath> paths;
  std::vector<std::string> faults, warnings;
  for (const std::string& path : *given) {
    std::error_code ignored;
    paths.push_back({path, std::filesystem::is_directory(path, ignored)});
    // One by one first, so that every file's faults are told.
    for (const std::string& fault : config_faults(paths.back())) faults.push_back(fault);
  }
  if (faults.empty()) {
    const auto loaded = load_config_files(paths);
    if (loaded) {
      warnings = loaded->warnings;
    } else {
      faults.push_back(loaded.error());
    }
  }
  if (format.json()) {
    print_json(console.out,
               {{"valid", faults.empty()}, {"faults", faults}, {"warnings", warnings}});
    return faults.empty() ? 0 : 1;
  }
  for (const std::string& fault : faults) console.out << fault << "\n";
  if (!faults.empty()) return 1;
  for (const std::string& warning : warnings) console.out << warning << "\n";
  console.out << "Configuration is valid!\n";
  return 0;
}

}  // namespace

Command config_command() {
  return {"config", "Check configuration files", config_help(), run_config};
}

}  // namespace starling::agent::cli
