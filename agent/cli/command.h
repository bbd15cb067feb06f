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

#include "agent/cli/rpc_client.h"
#include "agent/flags.h"
#include "agent/tag_text.h"

namespace starling::agent::cli {

struct Console {
  std::ostream& out;
  std::ostream& err;
  bool coloured = false;  // `out` is a terminal that wants colour
};

struct Command {
  std::string_view name;
  std::string_view synopsis;
  std::string help;
  std::function<int(std::span<const std::string> arguments, Console& console)> run;
};

// -rpc-addr and -rpc-auth with their environment variables.
struct RpcFlags {
  RpcFlags();
  void define(FlagSet& flags);
  std::string address;
  std::string token;
};

// "Usage: ..." with the text and the options.
std::string help_text(std::string_view usage, std::string_view text, const FlagSet& flags);

// The positional arguments, or the exit status after having complained with `help`.
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

// `message`, an empty line, the help; gives exit status 1.
int refuse(std::string_view message, std::string_view help, Console& console);

Command agent_command();
Command config_command();
Command decode_command();
Command event_command();
Command force_leave_command();
Command host_command();
Command hosted_command();
Command info_command();
Command join_command();
Command keygen_command();
Command keys_command();
Command leave_command();
Command members_command();
Command monitor_command();
Command rtt_command();
Command query_command();
Command reachability_command();
Command swarm_command();
Command tags_command();
Command unhost_command();
Command version_command();

// Every subcommand, by name.
std::vector<Command> all_commands();

// The whole program: `arguments` without the program's name.
int run(std::span<const std::string> arguments, Console& console);

}  // namespace starling::agent::cli
