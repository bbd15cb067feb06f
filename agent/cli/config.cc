#include <filesystem>

#include "agent/cli/command.h"
#include "agent/config_file.h"

namespace starling::agent::cli {
namespace {

std::string config_help() {
  return help_text("config check path ...",
                   "  Reads configuration files, and folders of them, as an agent would: in their\n"
                   "  order, later ones over earlier ones. Says what is wrong and in which line.\n"
                   "  The exit status is 0 when an agent could start with them.\n",
                   FlagSet());
}

int run_config(std::span<const std::string> arguments, Console& console) {
  FlagSet flags;
  const auto positional = parse_flags(flags, arguments, config_help(), console);
  if (!positional) return positional.error();
  if (positional->size() < 2 || positional->front() != "check") {
    return refuse("What to do must be said: config check, and at least one path.", config_help(),
                  console);
  }
  std::vector<ConfigPath> paths;
  bool sound = true;
  for (const std::string& path : std::span(*positional).subspan(1)) {
    std::error_code ignored;
    paths.push_back({path, std::filesystem::is_directory(path, ignored)});
    // One by one first, so that every file's faults are told.
    for (const std::string& fault : config_faults(paths.back())) {
      console.out << fault << "\n";
      sound = false;
    }
  }
  if (!sound) return 1;
  const auto loaded = load_config_files(paths);
  if (!loaded) {
    console.out << loaded.error() << "\n";
    return 1;
  }
  for (const std::string& warning : loaded->warnings) console.out << warning << "\n";
  console.out << "Configuration is valid!\n";
  return 0;
}

}  // namespace

Command config_command() {
  return {"config", "Check configuration files", config_help(), run_config};
}

}  // namespace starling::agent::cli
