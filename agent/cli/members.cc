#include "agent/cli/command.h"
#include "agent/cli/member_printer.h"

namespace starling::agent::cli {
namespace {

struct MembersFlags {
  RpcFlags rpc;
  bool detailed = false;
  std::string format = "text";
  std::string name;
  std::string role;
  std::string status;
  std::vector<std::string> tag_pairs;
  FlagSet flags() {
    FlagSet set;
    set.boolean({"detailed", "", "Show protocol versions too (text only)."}, detailed);
    set.text({"format", "text|json", "How to print."}, format);
    set.text({"name", "regexp", "Only members whose whole name matches."}, name);
    set.text({"role", "regexp", "Old form of -tag role=regexp."}, role);
    set.text({"status", "regexp", "Only members whose whole status matches."}, status);
    set.list({"tag", "key=regexp",
              "Only members with this tag whose whole value matches;\n"
              "may be given several times."},
             tag_pairs);
    rpc.define(set);
    return set;
  }
};

std::string members_help() {
  MembersFlags options;
  return help_text("members [options]", "  Lists the members that the agent knows.\n",
                   options.flags());
}

int run_members(std::span<const std::string> arguments, Console& console) {
  MembersFlags options;
  FlagSet flags = options.flags();
  const auto positional = parse_flags(flags, arguments, members_help(), console);
  if (!positional) return positional.error();
  auto tags = parse_tags(options.tag_pairs);
  if (!tags) {
    console.out << "Error: " << tags.error() << "\n";
    return 1;
  }
  if (!options.role.empty()) {
    console.out << "Deprecation warning: 'Role' has been replaced with 'Tags'\n";
    (*tags)["role"] = options.role;
  }
  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;
  MemberPrinter printer(console, options.format, options.detailed);
  const auto done = client->members_filtered(
      {.name = options.name, .status = options.status, .tags = std::move(*tags)},
      [&](const MemberInfo& member) { printer.add(member); });
  if (!done) {
    console.out << "Error retrieving members: " << done.error() << "\n";
    return 1;
  }
  return printer.finish();
}

}  // namespace

Command members_command() {
  return {"members", "List the members of the cluster", members_help(), run_members};
}

}  // namespace starling::agent::cli
