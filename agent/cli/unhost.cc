#include "agent/cli/command.h"

namespace starling::agent::cli {
namespace {

Help unhost_help() {
  RpcFlags rpc;
  FormatFlag format;
  FlagSet flags;
  format.define(flags);
  rpc.define(flags);
  return help_text("unhost name [options]",
                   "  Makes a member that an agent hosts leave the cluster, and waits until it\n"
                   "  has left. The others stay.\n",
                   flags);
}

int run_unhost(std::span<const std::string> arguments, Console& console) {
  RpcFlags rpc;
  FormatFlag format;
  FlagSet flags;
  format.define(flags);
  rpc.define(flags);
  const auto name = parse_flags_and_name(flags, arguments, unhost_help(), console);
  if (!name) return name.error();
  if (name->empty()) return refuse("A name must be specified to unhost.", unhost_help(), console);
  if (const auto problem = format.problem()) return console.fail(*problem);
  std::optional<RpcClient> client = connect(rpc, console);
  if (!client) return 1;
  if (const auto done = client->unhost_member({.name = *name}); !done) {
    return console.fail("Error letting " + *name + " go: " + done.error());
  }
  if (format.json()) {
    print_json(console.out, {{"unhosted", *name}});
    return 0;
  }
  console.out << *name << " has left\n";
  return 0;
}

}  // namespace

Command unhost_command() {
  return {"unhost", "Make a hosted member leave", unhost_help(), run_unhost};
}

}  // namespace starling::agent::cli
