#include "agent/cli/man_page.h"

#include <fmt/format.h>

#include "agent/go_text.h"
#include "agent/version.h"

namespace starling::agent::cli {
namespace {

std::string heading(std::string_view title) {
  return fmt::format(".TH {} 1 \"\" \"starling {}\" \"starling manual\"\n", to_upper(title),
                     program_version);
}

// Indented lines, and empty ones between paragraphs.
std::string paragraphs(std::string_view text) {
  std::string out;
  bool empty_before = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (line.starts_with(' ')) line.remove_prefix(1);
    if (line.empty()) {
      empty_before = !out.empty();
      continue;
    }
    if (std::exchange(empty_before, false)) out += ".PP\n";
    out += troff_text(line) + "\n";
  }
  return out;
}

std::string option(const FlagDescription& flag) {
  std::string out = ".TP\n\\fB\\-" + troff_text(flag.text.name) + "\\fR";
  if (!flag.text.hint.empty()) out += "=\\fI" + troff_text(flag.text.hint) + "\\fR";
  return out + "\n" + paragraphs(flag.text.help);
}

}  // namespace

std::string troff_text(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    // A line that begins with one of these would be a request.
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    line_begins = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string man_overview(std::span<const Command> commands) {
  std::string out = heading("starling");
  out +=
      ".SH NAME\n"
      "starling \\- cluster membership, failure detection and events\n"
      ".SH SYNOPSIS\n"
      ".B starling\n"
      "[\\fB\\-\\-version\\fR] [\\fB\\-\\-help\\fR] \\fIcommand\\fR [\\fIarguments\\fR]\n"
      ".SH DESCRIPTION\n"
      "An agent is a member of a cluster: it finds out who else is, notices when one fails, and\n"
      "passes events and questions on to all. It speaks Serf's protocol with Serf's agents, and\n"
      "Serf's RPC with their clients. The other commands talk to a running agent, or to nobody.\n"
      ".SH COMMANDS\n";
  for (const Command& command : commands) {
    out += fmt::format(".TP\n.BR starling\\-{} (1)\n{}\n", troff_text(command.name),
                       troff_text(command.synopsis));
  }
  out +=
      ".SH ENVIRONMENT\n"
      ".TP\n.B SERF_RPC_ADDR\nWhere the agent listens for commands, unless \\fB\\-rpc\\-addr\\fR "
      "says.\n"
      ".TP\n.B SERF_RPC_AUTH\nWhat the agent wants to see before it obeys, unless "
      "\\fB\\-rpc\\-auth\\fR says.\n"
      ".TP\n.B NO_COLOR\nNo colours, if it is set.\n"
      ".SH EXIT STATUS\n"
      "0 for success, 1 for an error, 127 for a command that there is not. As Serf's, commands\n"
      "print errors to the standard output, unless they are given \\fB\\-strict\\fR.\n";
  return out;
}

std::string man_page(const Command& command) {
  const std::string name = "starling-" + std::string(command.name);
  std::string out = heading(name);
  out += fmt::format(".SH NAME\n{} \\- {}\n", troff_text(name), troff_text(command.synopsis));
  std::string_view rest = command.help.usage;
  rest.remove_prefix(std::min(command.name.size(), rest.size()));
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  out += fmt::format(".SH SYNOPSIS\n\\fBstarling {}\\fR", troff_text(command.name));
  if (!rest.empty()) out += " " + troff_text(rest);
  out += "\n.SH DESCRIPTION\n" + paragraphs(command.help.about);
  if (!command.help.flags.empty()) out += ".SH OPTIONS\n";
  for (const FlagDescription& flag : command.help.flags) out += option(flag);
  return out + ".SH SEE ALSO\n.BR starling (1)\n";
}

}  // namespace starling::agent::cli
