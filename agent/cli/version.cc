#include "agent/version.h"

#include "agent/cli/command.h"

namespace starling::agent::cli {
namespace {

Help version_help() {
  FormatFlag format;
  FlagSet flags;
  format.define(flags);
  return help_text("version [options]", "  Prints the version of this program.\n", flags);
}

int run_version(std::span<const std::string> arguments, Console& console) {
  FormatFlag format;
  FlagSet flags;
  format.define(flags);
  const auto positional = parse_flags(flags, arguments, version_help(), console);
  if (!positional) return positional.error();
  if (const auto problem = format.problem()) return console.fail(*problem);
  if (format.json()) {
    print_json(console.out, {{"version", program_version},
                             {"protocol", serf_protocol_max},
                             {"protocol_min", serf_protocol_min}});
    return 0;
  }
  console.out << program_version << "\nAgent Protocol: " << serf_protocol_max
              << " (Understands back to: " << serf_protocol_min << ")\n";
  return 0;
}

}  // namespace

Command version_command() {
  return {"version", "Print the version", version_help(), run_version};
}

}  // namespace starling::agent::cli
