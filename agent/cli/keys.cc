#include <array>
#include <utility>

#include <fmt/format.h>

#include "agent/cli/columns.h"
#include "agent/cli/command.h"

namespace starling::agent::cli {
namespace {

struct KeysFlags {
  RpcFlags rpc;
  FormatFlag format;
  std::string install, use, remove;
  bool list = false;
  FlagSet flags() {
    FlagSet set;
    set.text({"install", "key", "Every member is to understand this key, too."}, install);
    set.text({"use", "key",
              "Every member is to encrypt with this key, which must have\n"
              "been installed everywhere before."},
             use);
    set.text({"remove", "key", "Every member is to forget this key; it must not be in use."},
             remove);
    set.boolean({"list", "", "Show every key and how many members have it."}, list);
    format.define(set);
    rpc.define(set);
    return set;
  }
};

Help keys_help() {
  KeysFlags options;
  return help_text("keys [options]",
                   "  Changes the encryption keys of a running cluster, or lists them. A key is\n"
                   "  replaced in three steps: -install the new one, -use it, -remove the old\n"
                   "  one. Keys are base64, as keygen makes them. The exit status is 0 when every\n"
                   "  member has answered and none has failed; after a failure some members may\n"
                   "  have changed theirs, and the same command may be given again.\n",
                   options.flags());
}

struct Words {
  std::string_view before, after, failure;
};
constexpr Words words_of(KeyChange change) {
  switch (change) {
    case KeyChange::install:
      return {"Installing key on all members...", "Successfully installed key!",
              "Error installing key"};
    case KeyChange::use:
      return {"Changing primary key on all members...", "Successfully changed primary key!",
              "Error changing primary key"};
    case KeyChange::remove:
      return {"Removing key on all members...", "Successfully removed key!", "Error removing key"};
  }
  return {};
}

void print_failures(const RpcClient::KeysAnswer& answer, std::string_view failure,
                    std::ostream& out) {
  Columns columns;
  for (const auto& [member, message] : answer.outcome.messages) {
    columns.add({{"failed:"}, {member}, {message}});
  }
  if (!answer.outcome.messages.empty()) {
    columns.print(out, false);
    out << "\n";
  }
  out << "\n" << failure << ": " << answer.error << "\n";
}

int print_json_answer(const RpcClient::KeysAnswer& answer, Console& console) {
  const KeyOutcome& outcome = answer.outcome;
  nlohmann::ordered_json shown;
  if (!answer.error.empty()) shown["error"] = answer.error;
  if (outcome.keys) shown["keys"] = *outcome.keys;
  shown["members"] = outcome.num_nodes;
  shown["answers"] = outcome.num_resp;
  shown["failures"] = outcome.num_err;
  shown["messages"] = outcome.messages;
  const bool failed = !answer.error.empty();
  print_json(failed ? console.errors() : console.out, shown);
  return failed ? 1 : 0;
}

int list(RpcClient& client, const KeysFlags& options, Console& console) {
  const bool json = options.format.json();
  if (!json) console.out << "==> Asking all members for installed keys...\n" << std::flush;
  auto answer = client.list_keys();
  if (!answer) answer = RpcClient::KeysAnswer{{}, answer.error()};
  if (json) return print_json_answer(*answer, console);
  if (!answer->error.empty()) {
    print_failures(*answer, "Failed to gather member keys", console.errors());
    return 1;
  }
  console.out << "==> Keys gathered, listing cluster keys...\n\n";
  Columns columns;
  if (!answer->outcome.keys) answer->outcome.keys.emplace();
  for (const auto& [key, count] : *answer->outcome.keys) {
    columns.add({{key}, {fmt::format("[{}/{}]", count, answer->outcome.num_nodes)}});
  }
  columns.print(console.out, false);
  console.out << "\n";
  return 0;
}

struct WantedChange {
  KeyChange change;
  const std::string& key;
};

int change(RpcClient& client, WantedChange wanted, const KeysFlags& options, Console& console) {
  const Words words = words_of(wanted.change);
  const bool json = options.format.json();
  if (!json) console.out << "==> " << words.before << "\n" << std::flush;
  auto answer = client.change_keys(wanted.change, wanted.key);
  if (!answer) answer = RpcClient::KeysAnswer{{}, answer.error()};
  if (json) return print_json_answer(*answer, console);
  if (!answer->error.empty()) {
    print_failures(*answer, words.failure, console.errors());
    return 1;
  }
  console.out << "==> " << words.after << "\n";
  return 0;
}

int run_keys(std::span<const std::string> arguments, Console& console) {
  KeysFlags options;
  FlagSet flags = options.flags();
  const auto positional = parse_flags(flags, arguments, keys_help(), console);
  if (!positional) return positional.error();
  const std::array<std::pair<KeyChange, std::string*>, 3> changes{
      {{KeyChange::install, &options.install},
       {KeyChange::use, &options.use},
       {KeyChange::remove, &options.remove}}};
  std::size_t wanted = options.list ? 1 : 0;
  for (const auto& [what, key] : changes) wanted += key->empty() ? 0 : 1;
  if (wanted > 1) {
    return console.fail("Only one of -install, -use, -remove, or -list allowed");
  }
  if (wanted == 0) {
    if (console.json) return console.fail("One of -install, -use, -remove and -list must be given");
    console.errors() << keys_help() << "\n";
    return 1;
  }
  if (const auto problem = options.format.problem()) {
    return console.fail(*problem);
  }
  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;
  if (options.list) return list(*client, options, console);
  for (const auto& [what, key] : changes) {
    if (!key->empty()) return change(*client, {what, *key}, options, console);
  }
  return 1;
}

}  // namespace

Command keys_command() {
  return {"keys", "Change or list the encryption keys of a cluster", keys_help(), run_keys};
}

}  // namespace starling::agent::cli
