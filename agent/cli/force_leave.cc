#include "agent/cli/command.h"

namespace starling::agent::cli {
namespace {

struct ForceLeaveFlags {
  RpcFlags rpc;
  bool prune = false;
  FlagSet flags() {
    FlagSet set;
    set.boolean({"prune", "", "Also remove the member from every list at once."}, prune);
    rpc.define(set);
    return set;
  }
};

std::string force_leave_help() {
  ForceLeaveFlags options;
  return help_text("force-leave [options] name",
                   "  Turns a failed member into one that has left, so that nobody tries to\n"
                   "  reach it any more. A member that is in fact alive comes back by itself.\n",
                   options.flags());
}

int run_force_leave(std::span<const std::string> arguments, Console& console) {
  ForceLeaveFlags options;
  FlagSet flags = options.flags();
  const auto positional = parse_flags(flags, arguments, force_leave_help(), console);
  if (!positional) return positional.error();
  if (positional->size() != 1) {
    return refuse("A node name must be specified to force leave.", force_leave_help(), console);
  }
  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;
  const auto done = client->force_leave({.node = positional->front(), .prune = options.prune});
  if (!done) {
    console.out << "Error force leaving: " << done.error() << "\n";
    return 1;
  }
  return 0;
}

}  // namespace

Command force_leave_command() {
  return {"force-leave", "Turn a failed member into a left one", force_leave_help(),
          run_force_leave};
}

}  // namespace starling::agent::cli
