// What a subcommand is, and what all of them share: the console, RPC flags, help.
//
// protocol/serf section 18. One file a subcommand; each defines one function that returns its
// Command. Output and errors go to `out`, only complaints about flags and top-level help to `err`.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/cli/rpc_client.h"
#include "agent/flags.h"
#include "agent/tag_text.h"

namespace starling::agent::cli {

// Where a command speaks, and in which manner: parse_flags finds that out for all of them.
struct Console {
  std::ostream& out;
  std::ostream& err;
  bool coloured = false;  // `out` is a terminal that wants colour
  bool strict = false;    // -strict: errors go to `err`; without, as Serf's, to `out`
  bool json = false;      // -format=json: an error is an object, {"error": "..."}

  std::ostream& errors() const { return strict ? err : out; }
  // Tells an error and gives exit status 1.
  int fail(std::string_view sentence) const;
};

// What a command says about itself: its help, its completion and its manual page come from here.
struct Help {
  std::string usage;  // "members [options]"
  std::string about;  // a paragraph or more, each line indented by two spaces
  std::vector<FlagDescription> flags;
  std::string text;  // all of it as -help shows it

  operator std::string_view() const { return text; }  // NOLINT: a text with its parts
  friend std::ostream& operator<<(std::ostream& out, const Help& help) { return out << help.text; }
};

struct Command {
  std::string_view name;
  std::string_view synopsis;
  Help help;
  std::function<int(std::span<const std::string> arguments, Console& console)> run;
};

// -rpc-addr and -rpc-auth with their environment variables, and -strict, which all commands have
// that talk to an agent.
struct RpcFlags {
  RpcFlags();
  void define(FlagSet& flags);
  std::string address;
  std::string token;
  bool strict = false;
};

// -format=text|json, of commands that say what they have done: one JSON object then.
struct FormatFlag {
  void define(FlagSet& flags);
  bool json() const { return format == "json"; }
  // What is wrong with it, as a sentence; nullopt when nothing is.
  std::optional<std::string> problem() const;
  std::string format = "text";
};

// One line of JSON. Bytes that are no text are replaced.
void print_json(std::ostream& out, const nlohmann::ordered_json& value);

// "Usage: ..." with the text and the options.
Help help_text(std::string_view usage, std::string_view text, const FlagSet& flags);

// The positional arguments, or the exit status after having complained with `help`. Sets the
// manner of the console, for its complaint as well.
std::expected<std::vector<std::string>, int> parse_flags(FlagSet& flags,
                                                         std::span<const std::string> arguments,
                                                         std::string_view help, Console& console);

// For commands about one name, which may stand anywhere among the flags: the name, empty when there
// is none or more than one.
std::expected<std::string, int> parse_flags_and_name(FlagSet& flags,
                                                     std::span<const std::string> arguments,
                                                     std::string_view help, Console& console);

// Prints "Error connecting ..." when there is no connection.
std::optional<RpcClient> connect(const RpcFlags& rpc, Console& console);

// `message`, an empty line, the help; the message alone in JSON. Gives exit status 1.
int refuse(std::string_view message, std::string_view help, Console& console);

Command agent_command();
Command completion_command();
Command config_command();
Command decode_command();
Command event_command();
Command explain_command();
Command force_leave_command();
Command host_command();
Command hosted_command();
Command info_command();
Command join_command();
Command keygen_command();
Command keys_command();
Command leave_command();
Command man_command();
Command members_command();
Command monitor_command();
Command query_command();
Command reachability_command();
Command rtt_command();
Command swarm_command();
Command tags_command();
Command top_command();
Command unhost_command();
Command version_command();

// Whether a member of this name is known to the agent, or why that cannot be said.
std::expected<bool, std::string> is_known(RpcClient& client, const std::string& name);

// Every subcommand, by name.
std::vector<Command> all_commands();

// The whole program: `arguments` without the program's name.
int run(std::span<const std::string> arguments, Console& console);

}  // namespace starling::agent::cli
