#include "agent/cli/command.h"

namespace starling::agent::cli {
namespace {

struct JoinFlags {
  RpcFlags rpc;
  FormatFlag format;
  bool replay = false;
  FlagSet flags() {
    FlagSet set;
    set.boolean({"replay", "", "Deliver user events from before the join too."}, replay);
    format.define(set);
    rpc.define(set);
    return set;
  }
};

Help join_help() {
  JoinFlags options;
  return help_text("join [options] address ...",
                   "  Makes the agent join the cluster of one or more of these members. An\n"
                   "  address is host, host:port or name/host:port. The name of a DNS service,\n"
                   "  as _serf._tcp.example.com, stands for all of its places.\n",
                   options.flags());
}

int run_join(std::span<const std::string> arguments, Console& console) {
  JoinFlags options;
  FlagSet flags = options.flags();
  const auto positional = parse_flags(flags, arguments, join_help(), console);
  if (!positional) return positional.error();
  if (positional->empty()) {
    return refuse("At least one address to join must be specified.", join_help(), console);
  }
  if (const auto problem = options.format.problem()) return console.fail(*problem);
  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;
  const auto joined = client->join({.existing = *positional, .replay = options.replay});
  if (!joined) {
    return console.fail("Error joining the cluster: " + joined.error());
  }
  if (options.format.json()) {
    print_json(console.out, {{"contacted", *joined}});
    return 0;
  }
  console.out << "Successfully joined cluster by contacting " << *joined << " nodes.\n";
  return 0;
}

}  // namespace

Command join_command() {
  return {"join", "Make the agent join a cluster", join_help(), run_join};
}

}  // namespace starling::agent::cli
