#include "agent/cli/command.h"
#include "agent/go_text.h"

namespace starling::agent::cli {
namespace {

struct ForceLeaveFlags {
  RpcFlags rpc;
  FormatFlag format;
  bool prune = false;
  FlagSet flags() {
    FlagSet set;
    set.boolean({"prune", "", "Also remove the member from every list at once."}, prune);
    format.define(set);
    rpc.define(set);
    return set;
  }
};

Help force_leave_help() {
  ForceLeaveFlags options;
  return help_text("force-leave [options] name",
                   "  Turns a failed member into one that has left, so that nobody tries to\n"
                   "  reach it any more. A member that is in fact alive comes back by itself.\n"
                   "  A name that nobody knows is not an error, as in Serf: the cluster is told\n"
                   "  all the same. With -strict it is one, and nothing is done.\n",
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
  if (const auto problem = options.format.problem()) return console.fail(*problem);
  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;
  if (options.rpc.strict) {
    const auto known = is_known(*client, positional->front());
    if (!known) {
      return console.fail("Error retrieving members: " + known.error());
    }
    if (!*known) {
      return console.fail("Error force leaving: no member is known by the name " +
                          go_quote(positional->front()));
    }
  }
  const auto done = client->force_leave({.node = positional->front(), .prune = options.prune});
  if (!done) {
    return console.fail("Error force leaving: " + done.error());
  }
  if (options.format.json()) {
    print_json(console.out, {{"member", positional->front()}, {"prune", options.prune}});
  }
  return 0;
}

}  // namespace

Command force_leave_command() {
  return {"force-leave", "Turn a failed member into a left one", force_leave_help(),
          run_force_leave};
}

}  // namespace starling::agent::cli
