#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "agent/cli/command.h"

namespace starling::agent::cli {
namespace {

struct ExplainFlags {
  RpcFlags rpc;
  FormatFlag format;
  FlagSet flags() {
    FlagSet set;
    format.define(set);
    rpc.define(set);
    return set;
  }
};

Help explain_help() {
  ExplainFlags options;
  return help_text("explain name [options]",
                   "  Says why a member is in its state, as far as this agent knows: its status\n"
                   "  and since when, the last probe, a running suspicion with who accused it\n"
                   "  and when it ends, who declared it dead, leave intents, and what was seen\n"
                   "  of it lately. Other agents may have seen other things.\n",
                   options.flags());
}

std::string value(const Stats& answer, const std::string& section, const std::string& key) {
  const auto values = answer.find(section);
  if (values == answer.end()) return "";
  const auto at = values->second.find(key);
  return at == values->second.end() ? "" : at->second;
}

// Keys whose texts are numbers.
bool is_number(std::string_view key) {
  constexpr std::array<std::string_view, 7> counts{
      "incarnation", "status_time",   "health", "confirmations_needed",
      "time",        "confirmations", "dropped"};
  return key.ends_with("_s") || key.ends_with("_ms") ||
         std::ranges::find(counts, key) != counts.end();
}

nlohmann::ordered_json json_value(std::string_view key, const std::string& text) {
  if (text == "true" || text == "false") {
    if (key == "listed" || key == "hosted") return text == "true";
  }
  if (!is_number(key)) return text;
  const auto number = nlohmann::ordered_json::parse(text, nullptr, false);
  return number.is_number() ? number : nlohmann::ordered_json(text);
}

nlohmann::ordered_json as_json(const Stats& answer) {
  nlohmann::ordered_json shown = nlohmann::ordered_json::object();
  for (const auto& [section, values] : answer) {
    if (section == "history") {
      nlohmann::ordered_json& history = shown[section] = nlohmann::ordered_json::array();
      for (const auto& [number, line] : values) {
        const std::size_t blank = line.find(' ');
        history.push_back({{"ago_s", json_value("ago_s", line.substr(0, blank))},
                           {"what", blank == std::string::npos ? "" : line.substr(blank + 1)}});
      }
      continue;
    }
    nlohmann::ordered_json& object = shown[section] = nlohmann::ordered_json::object();
    for (const auto& [key, text] : values) object[key] = json_value(key, text);
  }
  return shown;
}

void print_member(const Stats& answer, std::ostream& out) {
  const auto of = [&](const std::string& key) { return value(answer, "member", key); };
  out << of("name") << " is " << of("status");
  if (!of("gone_s").empty()) out << " since " << of("gone_s") << " s";
  out << ", status time " << (of("status_time").empty() ? "unknown" : of("status_time")) << "\n";
  out << "  address      " << of("address") << "\n";
  out << "  state        " << of("state") << " since " << of("changed_s") << " s, incarnation "
      << of("incarnation") << "\n";
  if (of("listed") == "false") out << "  listed       no: only Serf remembers it\n";
  if (of("hosted") == "true") {
    out << "  hosted       by this agent, health " << value(answer, "host", "health") << ", leave "
        << value(answer, "host", "leave") << "\n";
  }
}

void print_text(const std::string& name, const Stats& answer, std::ostream& out) {
  if (answer.contains("member")) {
    print_member(answer, out);
  } else {
    out << name << " is not a member\n";
  }
  if (answer.contains("probe")) {
    const std::string trip = value(answer, "probe", "round_trip_ms");
    out << "  last probe   " << value(answer, "probe", "ago_s") << " s ago, "
        << value(answer, "probe", "result");
    if (!trip.empty()) out << " after " << trip << " ms";
    out << "\n";
  }
  if (answer.contains("suspicion")) {
    const auto of = [&](const std::string& key) { return value(answer, "suspicion", key); };
    out << "  suspicion    since " << of("since_s") << " s, accused by " << of("accusers")
        << ", ends in " << of("ends_in_s") << " s, " << of("confirmations") << " of "
        << of("confirmations_needed") << " confirmations\n";
  }
  if (answer.contains("death")) {
    const std::string by = value(answer, "death", "by");
    out << (by == name ? "  left         " : "  dead         ") << value(answer, "death", "ago_s")
        << " s ago, said by " << by << ", incarnation " << value(answer, "death", "incarnation")
        << "\n";
  }
  if (answer.contains("intent")) {
    out << "  intent       to " << value(answer, "intent", "kind") << ", time "
        << value(answer, "intent", "time") << "\n";
  }
  const auto history = answer.find("history");
  if (history == answer.end()) return;
  const std::string dropped = value(answer, "history_limit", "dropped");
  out << "  seen lately"
      << (dropped.empty() ? "" : ", after " + dropped + " that are no longer kept") << "\n";
  for (const auto& [number, line] : history->second) {
    const std::size_t blank = std::min(line.find(' '), line.size());
    out << fmt::format("  {:>10} s ago  {}\n", line.substr(0, blank),
                       line.substr(std::min(blank + 1, line.size())));
  }
}

int run_explain(std::span<const std::string> arguments, Console& console) {
  ExplainFlags options;
  FlagSet flags = options.flags();
  const auto name = parse_flags_and_name(flags, arguments, explain_help(), console);
  if (!name) return name.error();
  if (name->empty()) return refuse("A name must be specified.", explain_help(), console);
  if (const auto problem = options.format.problem()) return console.fail(*problem);
  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;
  const auto answer = client->explain({.node = *name});
  if (!answer) {
    return console.fail("Error explaining " + *name + ": " + answer.error());
  }
  if (options.format.json()) {
    print_json(console.out, as_json(*answer));
  } else {
    print_text(*name, *answer, console.out);
  }
  return 0;
}

}  // namespace

Command explain_command() {
  return {"explain", "Say why a member is in its state", explain_help(), run_explain};
}

}  // namespace starling::agent::cli
