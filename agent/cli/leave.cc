#include "agent/cli/command.h"

namespace starling::agent::cli {
namespace {

struct LeaveFlags {
  RpcFlags rpc;
  FormatFlag format;
  FlagSet flags() {
    FlagSet set;
    format.define(set);
    rpc.define(set);
    return set;
  }
};

Help leave_help() {
  LeaveFlags options;
  return help_text("leave [options]", "  Makes the agent leave the cluster gracefully and stop.\n",
                   options.flags());
}

int run_leave(std::span<const std::string> arguments, Console& console) {
  LeaveFlags options;
  FlagSet flags = options.flags();
  const auto positional = parse_flags(flags, arguments, leave_help(), console);
  if (!positional) return positional.error();
  if (const auto problem = options.format.problem()) return console.fail(*problem);
  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;
  if (const auto done = client->leave(); !done) {
    return console.fail("Error leaving: " + done.error());
  }
  if (options.format.json()) {
    print_json(console.out, {{"left", true}});
    return 0;
  }
  console.out << "Graceful leave complete\n";
  return 0;
}

}  // namespace

Command leave_command() {
  return {"leave", "Leave the cluster gracefully and stop the agent", leave_help(), run_leave};
}

}  // namespace starling::agent::cli
