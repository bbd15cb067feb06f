#include <algorithm>
#include <chrono>
#include <map>

#include "agent/addresses.h"
#include "agent/cli/command.h"
#include "agent/cli/interrupt.h"
#include "agent/cli/member_printer.h"
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
  bool watch = false;
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
    set.boolean({"watch", "",
                 "Go on until interrupted: print the list again when it has\n"
                 "changed. As JSON: an object on a line for each member\n"
                 "that was added, has changed or was removed."},
                watch);
    rpc.define(set);
    return set;
  }
};

Help members_help() {
  MembersFlags options;
  return help_text("members [options]", "  Lists the members that the agent knows.\n",
                   options.flags());
}

// What is shown of a member when it is compared with what it was.
using Seen = std::map<std::string, nlohmann::ordered_json>;

nlohmann::ordered_json json_of(const MemberInfo& member) {
  return {{"name", member.name},
          {"addr", format_endpoint({member.address, member.port})},
          {"port", member.port},
          {"tags", member.tags},
          {"status", member.status},
          {"protocol",
           {{"max", member.versions.delegate_max},
            {"min", member.versions.delegate_min},
            {"version", member.versions.delegate_current}}}};
}

void print_differences(const Seen& before, const Seen& now, Console& console) {
  const auto say = [&](std::string_view change, const nlohmann::ordered_json& member) {
    print_json(console.out, {{"change", change}, {"member", member}});
  };
  for (const auto& [name, member] : now) {
    const auto old = before.find(name);
    if (old == before.end()) {
      say("added", member);
    } else if (old->second != member) {
      say("changed", member);
    }
  }
  for (const auto& [name, member] : before) {
    if (!now.contains(name)) say("removed", member);
  }
}

// Lists again twice a second; long lists only as often as they take a tenth of the time.
int watch(RpcClient& client, const MembersFilteredRequest& filter, const MembersFlags& options,
          Console& console) {
  using Clock = std::chrono::steady_clock;
  if (options.format != "text" && options.format != "json") {
    return console.fail("Encoding error: Invalid output format " + go_quote(options.format));
  }
  const InterruptDescriptor interrupt;
  Seen before;
  for (bool first = true;; first = false) {
    const auto began = Clock::now();
    Seen now;
    MemberPrinter printer(console, "text", options.detailed);
    const auto done = client.members_filtered(filter, [&](const MemberInfo& member) {
      now.emplace(member.name, json_of(member));
      printer.add(member);
    });
    if (!done) {
      return console.fail("Error retrieving members: " + done.error());
    }
    if (options.format == "json") {
      print_differences(before, now, console);
    } else if (first || now != before) {
      if (!first) console.out << "\n";
      printer.finish();
      console.out << std::flush;
    }
    before = std::move(now);
    const auto pause =
        std::max<Clock::duration>(std::chrono::milliseconds(500), 10 * (Clock::now() - began));
    if (interrupt.wait(std::chrono::ceil<std::chrono::milliseconds>(pause))) return 0;
  }
}

int run_members(std::span<const std::string> arguments, Console& console) {
  MembersFlags options;
  FlagSet flags = options.flags();
  const auto positional = parse_flags(flags, arguments, members_help(), console);
  if (!positional) return positional.error();
  auto tags = parse_tags(options.tag_pairs);
  if (!tags) {
    return console.fail("Error: " + tags.error());
  }
  if (!options.role.empty()) {
    console.out << "Deprecation warning: 'Role' has been replaced with 'Tags'\n";
    (*tags)["role"] = options.role;
  }
  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;
  const MembersFilteredRequest filter{
      .name = options.name, .status = options.status, .tags = std::move(*tags)};
  if (options.watch) return watch(*client, filter, options, console);
  MemberPrinter printer(console, options.format, options.detailed);
  const auto done =
      client->members_filtered(filter, [&](const MemberInfo& member) { printer.add(member); });
  if (!done) return printer.fail("Error retrieving members: " + done.error());
  return printer.finish();
}

}  // namespace

Command members_command() {
  return {"members", "List the members of the cluster", members_help(), run_members};
}

}  // namespace starling::agent::cli
