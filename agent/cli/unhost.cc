#include "agent/cli/command.h"

namespace starling::agent::cli {
namespace {

std::string unhost_help() {
  RpcFlags rpc;
  FlagSet flags;
  rpc.define(flags);
  return help_text("unhost name [options]",
                   "  Makes a member that an agent hosts leave the cluster, and waits until it\n"
                   "  has left. The others stay.\n",
                   flags);
}

int run_unhost(std::span<const std::string> arguments, Console& console) {
  RpcFlags rpc;
  FlagSet flags;
  rpc.define(flags);
  const auto name = parse_flags_and_name(flags, arguments, unhost_help(), console);
  if (!name) return name.error();
  if (name->empty()) return refuse("A name must be specified to unhost.", unhost_help(), console);
  std::optional<RpcClient> client = connect(rpc, console);
  if (!client) return 1;
  if (const auto done = client->unhost_member({.name = *name}); !done) {
    console.out << "Error letting " << *name << " go: " << done.error() << "\n";
    return 1;
  }
  console.out << *name << " has left\n";
  return 0;
}

}  // namespace

Command unhost_command() {
  return {"unhost", "Make a hosted member leave", unhost_help(), run_unhost};
}

}  // namespace starling::agent::cli
