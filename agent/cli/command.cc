#include "agent/cli/command.h"

#include <algorithm>
#include <cstdlib>

#include <re2/re2.h>

#include "agent/go_text.h"

namespace starling::agent::cli {
namespace {

std::string from_environment(const char* name, std::string_view otherwise) {
  const char* const value = std::getenv(name);
  return std::string(value != nullptr && *value != '\0' ? value : otherwise);
}

// Whether one of these arguments is there, of a flag that the command has.
bool wants(const FlagSet& flags, std::string_view flag, std::span<const std::string> arguments,
           std::initializer_list<std::string_view> forms) {
  const auto is_form = [&](std::string_view argument) {
    return std::ranges::find(forms, argument) != forms.end();
  };
  return flags.value(flag).has_value() && std::ranges::any_of(arguments, is_form);
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

int Console::fail(std::string_view sentence) const {
  if (json) {
    print_json(errors(), {{"error", sentence}});
  } else {
    errors() << sentence << "\n";
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
  // Of several runs over the arguments, see below, each adds to the manner.
  console.strict |= flags.value("strict") == "true";
  console.json |= flags.value("format") == "json";
  if (positional) return std::move(*positional);
  if (positional.error().help_wanted) {
    console.err << help << "\n";
    return std::unexpected(0);
  }
  // What comes after the faulty flag has not been read.
  console.strict |= wants(flags, "strict", arguments, {"-strict", "--strict"});
  console.json |= wants(flags, "format", arguments, {"-format=json", "--format=json"});
  if (console.json) return std::unexpected(console.fail(positional.error().text));
  console.err << positional.error().text << "\n";
  console.errors() << help << "\n";
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
  console.fail("Error connecting to starling agent: " + client.error());
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
  if (console.json) return console.fail(message);
  console.errors() << message << "\n\n" << help << "\n";
  return 1;
}

}  // namespace starling::agent::cli
