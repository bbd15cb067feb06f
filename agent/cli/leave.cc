#include "agent/cli/command.h"

namespace starling::agent::cli {
namespace {

struct LeaveFlags {
  RpcFlags rpc;
  FlagSet flags() {
    FlagSet set;
    rpc.define(set);
    return set;
  }
};

std::string leave_help() {
  LeaveFlags options;
  return help_text("leave [options]", "  Makes the agent leave the cluster gracefully and stop.\n",
                   options.flags());
}

int run_leave(std::span<const std::string> arguments, Console& console) {
  LeaveFlags options;
  FlagSet flags = options.flags();
  const auto positional = parse_flags(flags, arguments, leave_help(), console);
  if (!positional) return positional.error();
  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;
  if (const auto done = client->leave(); !done) {
    console.out << "Error leaving: " << done.error() << "\n";
    return 1;
  }
  console.out << "Graceful leave complete\n";
  return 0;
}

}  // namespace

Command leave_command() {
  return {"leave", "Leave the cluster gracefully and stop the agent", leave_help(), run_leave};
}

}  // namespace starling::agent::cli
