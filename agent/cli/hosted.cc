#include "agent/cli/command.h"
#include "agent/cli/member_printer.h"

namespace starling::agent::cli {
namespace {

struct HostedFlags {
  RpcFlags rpc;
  std::string format = "text";
  FlagSet flags() {
    FlagSet set;
    set.text({"format", "text|json", "How to print."}, format);
    rpc.define(set);
    return set;
  }
};

Help hosted_help() {
  HostedFlags options;
  return help_text("hosted [options]", "  Lists the members that an agent hosts besides its own.\n",
                   options.flags());
}

int run_hosted(std::span<const std::string> arguments, Console& console) {
  HostedFlags options;
  FlagSet flags = options.flags();
  const auto positional = parse_flags(flags, arguments, hosted_help(), console);
  if (!positional) return positional.error();
  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;
  MemberPrinter printer(console, options.format, false);
  const auto done = client->hosted([&](const MemberInfo& member) { printer.add(member); });
  if (!done) {
    return console.fail("Error retrieving hosted members: " + done.error());
  }
  return printer.finish();
}

}  // namespace

Command hosted_command() {
  return {"hosted", "List the members that an agent hosts", hosted_help(), run_hosted};
}

}  // namespace starling::agent::cli
