#include "agent/agent.h"

#include <array>

#include "agent/cli/command.h"

namespace starling::agent::cli {
namespace {

Help agent_help() {
  AgentFlags target;
  FlagSet flags;
  define_agent_flags(flags, target);
  return help_text(
      "agent [options]",
      "  Runs a member of a cluster until it is interrupted. Other commands talk to it\n"
      "  through -rpc-addr.\n",
      flags);
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

int run_agent(std::span<const std::string> arguments, Console& console) {
  auto loaded = load_config(arguments);
  if (!loaded) {
    const ConfigError& error = loaded.error();
    switch (error.kind) {
      case ConfigError::Kind::help:
        console.err << agent_help() << "\n";
        return 0;
      case ConfigError::Kind::flags:
        console.err << error.text << "\n";
        console.out << "==> " << agent_help() << "\n";
        return 1;
      case ConfigError::Kind::config:
        console.out << "==> " << error.text << "\n";
        return 1;
    }
  }
  if (loaded->config.node_name.empty()) {
    loaded->config.node_name = host_name();
    const auto problem = loaded->config.validate_node_names
                             ? node_name_problem(loaded->config.node_name)
                             : std::nullopt;
    if (problem) {
      console.out << "==> " << *problem << "\n";
      return 1;
    }
  }
  Agent agent(std::move(*loaded), {arguments.begin(), arguments.end()}, console.out);
  return agent.run();
}

}  // namespace

Command agent_command() {
  return {"agent", "Run a member of a cluster", agent_help(), run_agent};
}

}  // namespace starling::agent::cli
