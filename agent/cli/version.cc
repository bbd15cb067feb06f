#include "agent/version.h"

#include "agent/cli/command.h"

namespace starling::agent::cli {

Command version_command() {
  std::string help = help_text("version", "  Prints the version of this program.\n", FlagSet());
  return {"version", "Print the version", std::move(help),
          [](std::span<const std::string>, Console& console) {
            console.out << program_version << "\nAgent Protocol: " << serf_protocol_max
                        << " (Understands back to: " << serf_protocol_min << ")\n";
            return 0;
          }};
}

}  // namespace starling::agent::cli
