#include "agent/cli/command.h"

namespace starling::agent::cli {
namespace {

struct TagsFlags {
  RpcFlags rpc;
  FormatFlag format;
  std::vector<std::string> set_pairs;
  std::vector<std::string> delete_keys;
  std::string member;
  FlagSet flags() {
    FlagSet set;
    set.list({"set", "key=value", "Set a tag; may be given several times."}, set_pairs);
    set.list({"delete", "key", "Remove a tag; may be given several times."}, delete_keys);
    set.text({"member", "name", "Of this hosted member, not of the agent itself."}, member);
    format.define(set);
    rpc.define(set);
    return set;
  }
};

Help tags_help() {
  TagsFlags options;
  return help_text("tags [options]", "  Changes the tags of a running agent.\n", options.flags());
}

int run_tags(std::span<const std::string> arguments, Console& console) {
  TagsFlags options;
  FlagSet flags = options.flags();
  const auto positional = parse_flags(flags, arguments, tags_help(), console);
  if (!positional) return positional.error();
  if (options.set_pairs.empty() && options.delete_keys.empty()) {
    if (console.json) return console.fail("One of -set and -delete must be given");
    console.errors() << tags_help() << "\n";
    return 1;
  }
  if (const auto problem = options.format.problem()) return console.fail(*problem);
  const auto tags = parse_tags(options.set_pairs);
  if (!tags) return console.fail("Error: " + tags.error());
  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;
  const auto done =
      options.member.empty()
          ? client->tags({.tags = *tags, .delete_tags = options.delete_keys})
          : client->member_tags(
                {.member = options.member, .tags = *tags, .delete_tags = options.delete_keys});
  if (!done) {
    return console.fail("Error setting tags: " + done.error());
  }
  if (options.format.json()) {
    print_json(console.out,
               {{"member", options.member}, {"set", *tags}, {"deleted", options.delete_keys}});
    return 0;
  }
  console.out << "Successfully updated " << (options.member.empty() ? "agent" : options.member)
              << " tags\n";
  return 0;
}

}  // namespace

Command tags_command() {
  return {"tags", "Change the tags of a running agent", tags_help(), run_tags};
}

}  // namespace starling::agent::cli
