#include "agent/cli/command.h"
#include "agent/cli/json_text.h"
#include "agent/go_text.h"

namespace starling::agent::cli {
namespace {

struct InfoFlags {
  RpcFlags rpc;
  std::string format = "text";
  FlagSet flags() {
    FlagSet set;
    set.text({"format", "text|json", "How to print."}, format);
    rpc.define(set);
    return set;
  }
};

Help info_help() {
  InfoFlags options;
  return help_text("info [options]", "  Shows what the agent knows about itself, for operators.\n",
                   options.flags());
}

std::string as_lines(const Stats& stats) {
  std::string out;
  for (const auto& [section, values] : stats) {
    out += section + ":\n";
    for (const auto& [key, value] : values) out += "\t" + key + " = " + value + "\n";
  }
  return out;
}

int run_info(std::span<const std::string> arguments, Console& console) {
  InfoFlags options;
  FlagSet flags = options.flags();
  const auto positional = parse_flags(flags, arguments, info_help(), console);
  if (!positional) return positional.error();
  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;
  const auto stats = client->stats();
  if (!stats) {
    return console.fail("Error querying agent: " + stats.error());
  }
  if (options.format != "text" && options.format != "json") {
    return console.fail("Encoding error: Invalid output format " + go_quote(options.format));
  }
  const std::string shown = options.format == "json" ? stats_json(*stats) : as_lines(*stats);
  console.out << trim_space(shown) << "\n";
  return 0;
}

}  // namespace

Command info_command() {
  return {"info", "Show what the agent knows about itself", info_help(), run_info};
}

}  // namespace starling::agent::cli
