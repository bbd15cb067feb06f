#include "agent/cli/command.h"

namespace starling::agent::cli {
namespace {

struct HostFlags {
  RpcFlags rpc;
  FormatFlag format;
  std::vector<std::string> tag_pairs;
  std::string advertise;
  FlagSet flags() {
    FlagSet set;
    set.list({"tag", "key=value", "A tag of the member; may be repeated."}, tag_pairs);
    set.text({"advertise", "ip[:port]",
              "What other members are told; what is left out is as\n"
              "for the agent's own member."},
             advertise);
    format.define(set);
    rpc.define(set);
    return set;
  }
};

Help host_help() {
  HostFlags options;
  return help_text("host name [options]",
                   "  Makes a running agent host a further member, which looks to all others\n"
                   "  like an agent of its own. It lasts as long as the agent runs.\n",
                   options.flags());
}

int run_host(std::span<const std::string> arguments, Console& console) {
  HostFlags options;
  FlagSet flags = options.flags();
  const auto name = parse_flags_and_name(flags, arguments, host_help(), console);
  if (!name) return name.error();
  if (name->empty()) return refuse("A name must be specified to host.", host_help(), console);
  auto tags = parse_tags(options.tag_pairs);
  if (const auto problem = options.format.problem()) return console.fail(*problem);
  if (!tags) return console.fail("Error: " + tags.error());
  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;
  const auto done = client->host_member(
      {.name = *name, .tags = std::move(*tags), .advertise = options.advertise});
  if (!done) {
    return console.fail("Error hosting " + *name + ": " + done.error());
  }
  if (options.format.json()) {
    print_json(console.out, {{"hosted", *name}});
    return 0;
  }
  console.out << "Hosting " << *name << "\n";
  return 0;
}

}  // namespace

Command host_command() {
  return {"host", "Make an agent host a further member", host_help(), run_host};
}

}  // namespace starling::agent::cli
