#include "agent/addresses.h"
#include "agent/cli/colour.h"
#include "agent/cli/columns.h"
#include "agent/cli/command.h"
#include "agent/cli/json_text.h"
#include "agent/go_text.h"

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

std::string as_columns(const std::vector<MemberInfo>& members, bool detailed, bool coloured) {
  std::vector<Row> rows;
  for (const MemberInfo& member : members) {
    std::string tags;
    for (const auto& [key, value] : member.tags) {
      tags += (tags.empty() ? "" : ",") + key + "=" + value;
    }
    Row row{{member.name},
            {format_endpoint({member.address, member.port})},
            {member.status, colour_of_status(member.status)},
            {tags}};
    if (detailed) {
      const Versions& versions = member.versions;
      row.push_back({"Protocol Version: " + std::to_string(versions.delegate_current)});
      row.push_back({"Available Protocol Range: [" + std::to_string(versions.delegate_min) + ", " +
                     std::to_string(versions.delegate_max) + "]"});
    }
    rows.push_back(std::move(row));
  }
  return format_columns(rows, coloured);
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
  const auto members = client->members_filtered(
      {.name = options.name, .status = options.status, .tags = std::move(*tags)});
  if (!members) {
    console.out << "Error retrieving members: " << members.error() << "\n";
    return 1;
  }
  if (options.format == "json") {
    console.out << members_json(*members) << "\n";
  } else if (options.format == "text") {
    console.out << as_columns(*members, options.detailed, console.coloured) << "\n";
  } else {
    console.out << "Encoding error: Invalid output format " << go_quote(options.format) << "\n";
    return 1;
  }
  return 0;
}

}  // namespace

Command members_command() {
  return {"members", "List the members of the cluster", members_help(), run_members};
}

}  // namespace starling::agent::cli
