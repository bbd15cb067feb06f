#include "agent/cli/command.h"

namespace starling::agent::cli {
namespace {

struct EventFlags {
  RpcFlags rpc;
  FormatFlag format;
  bool coalesce = true;
  FlagSet flags() {
    FlagSet set;
    set.boolean({"coalesce", "true",
                 "Of equally named events within a short time, handlers\n"
                 "may be shown only the last."},
                coalesce);
    format.define(set);
    rpc.define(set);
    return set;
  }
};

Help event_help() {
  EventFlags options;
  return help_text("event [options] name [payload]", "  Sends a user event to all members.\n",
                   options.flags());
}

int run_event(std::span<const std::string> arguments, Console& console) {
  EventFlags options;
  FlagSet flags = options.flags();
  const auto positional = parse_flags(flags, arguments, event_help(), console);
  if (!positional) return positional.error();
  if (positional->empty()) return refuse("An event name must be specified.", event_help(), console);
  if (positional->size() > 2) {
    return refuse("Too many command line arguments. Only a name and payload must be specified.",
                  event_help(), console);
  }
  EventRequest request{.name = positional->front(), .payload = {}, .coalesce = options.coalesce};
  if (positional->size() == 2) request.payload = positional->back();

  if (const auto problem = options.format.problem()) return console.fail(*problem);
  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;
  if (const auto done = client->event(request); !done) {
    return console.fail("Error sending event: " + done.error());
  }
  if (options.format.json()) {
    print_json(console.out, {{"event", request.name}, {"coalesce", options.coalesce}});
    return 0;
  }
  console.out << "Event '" << request.name
              << "' dispatched! Coalescing enabled: " << (options.coalesce ? "true" : "false")
              << "\n";
  return 0;
}

}  // namespace

Command event_command() {
  return {"event", "Send a user event to the cluster", event_help(), run_event};
}

}  // namespace starling::agent::cli
