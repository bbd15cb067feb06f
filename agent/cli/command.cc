#include "agent/cli/command.h"

#include <cstdlib>

#include <re2/re2.h>

#include "agent/go_text.h"

namespace starling::agent::cli {
namespace {

std::string from_environment(const char* name, std::string_view otherwise) {
  const char* const value = std::getenv(name);
  return std::string(value != nullptr && *value != '\0' ? value : otherwise);
}

}  // namespace

RpcFlags::RpcFlags()
    : address(from_environment("SERF_RPC_ADDR", "127.0.0.1:7373")),
      token(from_environment("SERF_RPC_AUTH", "")) {}

void RpcFlags::define(FlagSet& flags) {
  flags.text({"rpc-addr", "127.0.0.1:7373",
              "Where the agent listens for commands.\n"
              "Default: the variable SERF_RPC_ADDR, if set."},
             address);
  flags.text({"rpc-auth", "token",
              "What the agent wants to see before it obeys.\n"
              "Default: the variable SERF_RPC_AUTH, if set."},
             token);
  flags.boolean({"strict", "",
                 "Errors go to the standard error, and a member that nobody\n"
                 "knows is an error. Without: as Serf does it, to the\n"
                 "standard output, and to act on nobody is a success."},
                strict);
}

void FormatFlag::define(FlagSet& flags) {
  flags.text({"format", "text|json", "How to print."}, format);
}

std::optional<std::string> FormatFlag::problem() const {
  if (format == "text" || format == "json") return std::nullopt;
  return "Invalid output format " + go_quote(format);
}

void print_json(std::ostream& out, const nlohmann::ordered_json& value) {
  out << value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n" << std::flush;
}

int fail(std::ostream& out, const FormatFlag& format, const std::string& sentence) {
  if (format.json()) {
    print_json(out, {{"error", sentence}});
  } else {
    out << sentence << "\n";
  }
  return 1;
}

Help help_text(std::string_view usage, std::string_view text, const FlagSet& flags) {
  Help help{.usage = std::string(usage),
            .about = std::string(text),
            .flags = flags.descriptions(),
            .text = "Usage: starling " + std::string(usage) + "\n\n" + std::string(text)};
  if (const std::string options = flags.usage(); !options.empty()) {
    help.text += "\nOptions:\n\n" + options;
  }
  while (help.text.ends_with('\n')) help.text.pop_back();
  return help;
}

std::expected<std::vector<std::string>, int> parse_flags(FlagSet& flags,
                                                         std::span<const std::string> arguments,
                                                         std::string_view help, Console& console) {
  auto positional = flags.parse(arguments);
  if (positional) return std::move(*positional);
  if (positional.error().help_wanted) {
    console.err << help << "\n";
    return std::unexpected(0);
  }
  console.err << positional.error().text << "\n";
  console.out << help << "\n";
  return std::unexpected(1);
}

std::expected<std::string, int> parse_flags_and_name(FlagSet& flags,
                                                     std::span<const std::string> arguments,
                                                     std::string_view help, Console& console) {
  const auto positional = parse_flags(flags, arguments, help, console);
  if (!positional) return std::unexpected(positional.error());
  if (positional->empty()) return std::string();
  const auto more = parse_flags(flags, std::span(*positional).subspan(1), help, console);
  if (!more) return std::unexpected(more.error());
  return more->empty() ? positional->front() : std::string();
}

std::optional<RpcClient> connect(const RpcFlags& rpc, Console& console) {
  auto client = RpcClient::connect(rpc.address, rpc.token);
  if (client) return std::move(*client);
  rpc.errors(console) << "Error connecting to starling agent: " << client.error() << "\n";
  return std::nullopt;
}

std::expected<bool, std::string> is_known(RpcClient& client, const std::string& name) {
  bool known = false;
  const auto done = client.members_filtered(
      {.name = re2::RE2::QuoteMeta(name), .status = "", .tags = {}},
      [&](const MemberInfo& member) { known = known || member.name == name; });
  if (!done) return std::unexpected(done.error());
  return known;
}

int refuse(std::string_view message, std::string_view help, Console& console) {
  console.out << message << "\n\n" << help << "\n";
  return 1;
}

}  // namespace starling::agent::cli
