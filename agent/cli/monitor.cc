#include "agent/cli/colour.h"
#include "agent/cli/command.h"
#include "agent/cli/go_value.h"
#include "agent/cli/interrupt.h"

namespace starling::agent::cli {
namespace {

struct MonitorFlags {
  RpcFlags rpc;
  FormatFlag format;
  std::string log_level = "INFO";
  FlagSet flags() {
    FlagSet set;
    set.text({"log-level", "info", "Show lines of this level and above."}, log_level);
    format.define(set);
    rpc.define(set);
    return set;
  }
};

Help monitor_help() {
  MonitorFlags options;
  return help_text("monitor [options]",
                   "  Shows the agent's latest log lines, then each new one, and every event as\n"
                   "  it happens, until interrupted. As JSON each is an object on a line, with\n"
                   "  \"log\" or \"event\".\n",
                   options.flags());
}

void show(const RpcClient::Record& record, bool is_log, Console& console) {
  if (is_log) {
    const auto line = decode_log_record(as_bytes(record.body));
    if (!line) return;
    console.out << (console.coloured ? paint(*line, colour_of_log_line(*line)) : *line) << "\n";
  } else {
    const auto lines = format_event(as_bytes(record.body));
    if (!lines) return;
    console.out << (console.coloured ? paint("Event Info:", Colour::bold) : "Event Info:") << "\n"
                << *lines;
  }
  console.out.flush();
}

void show_json(const RpcClient::Record& record, bool is_log, Console& console) {
  if (is_log) {
    if (const auto line = decode_log_record(as_bytes(record.body))) {
      print_json(console.out, {{"log", *line}});
    }
    return;
  }
  // The client has checked that it is one whole value of bounded depth.
  auto event = nlohmann::ordered_json::from_msgpack(record.body, true, false);
  if (event.is_object()) {
    for (auto& [key, value] : event.items()) {
      if (!value.is_binary()) continue;
      const std::vector<std::uint8_t> bytes = value.get_binary();
      value = std::string(bytes.begin(), bytes.end());
    }
  }
  if (!event.is_discarded()) print_json(console.out, {{"event", event}});
}

int run_monitor(std::span<const std::string> arguments, Console& console) {
  MonitorFlags options;
  FlagSet flags = options.flags();
  const auto positional = parse_flags(flags, arguments, monitor_help(), console);
  if (!positional) return positional.error();
  if (const auto problem = options.format.problem()) {
    return console.fail(*problem);
  }
  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;
  const auto events = client->stream({.type = "*"});
  if (!events) {
    return console.fail("Error starting stream: " + events.error());
  }
  const auto logs = client->monitor({.log_level = options.log_level});
  if (!logs) {
    console.fail("Error starting monitor: " + logs.error());
    static_cast<void>(client->stop(*events));
    return 1;
  }
  const InterruptDescriptor interrupt;
  for (;;) {
    const auto record = client->next_record(interrupt.descriptor());
    if (!record) {
      if (console.json) return console.fail("the agent has exited or crashed");
      return console.fail(
          "\nRemote side ended the monitor! This usually means that the\n"
          "remote side has exited or crashed.");
    }
    if (!*record) {
      static_cast<void>(client->stop(*events));
      static_cast<void>(client->stop(*logs));
      return 0;
    }
    const bool is_log = (*record)->subscription == *logs;
    if (options.format.json()) {
      show_json(**record, is_log, console);
    } else {
      show(**record, is_log, console);
    }
  }
}

}  // namespace

Command monitor_command() {
  return {"monitor", "Show the agent's log and events as they happen", monitor_help(), run_monitor};
}

}  // namespace starling::agent::cli
