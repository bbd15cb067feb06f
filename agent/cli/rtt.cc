#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/cli/command.h"
#include "agent/go_text.h"
#include "core/serf/coordinate.h"

namespace starling::agent::cli {
namespace {

struct RttFlags {
  RpcFlags rpc;
  std::string format = "text";
  FlagSet flags() {
    FlagSet set;
    set.text({"format", "text|json", "How to print."}, format);
    rpc.define(set);
    return set;
  }
};

Help rtt_help() {
  RttFlags options;
  return help_text("rtt [options] node1 [node2]",
                   "  Estimates the round trip between two members from their network\n"
                   "  coordinates. Without a second one: to the agent's own member.\n",
                   options.flags());
}

struct Pair {
  std::string from, to;
};

int print(const Pair& nodes, Duration round_trip, const std::string& format, Console& console) {
  const double ms = seconds_of(round_trip) * 1000;
  if (format == "json") {
    const nlohmann::ordered_json shown{
        {"node1", nodes.from}, {"node2", nodes.to}, {"rtt_ns", round_trip.count()}};
    // Names may be any bytes.
    console.out << shown.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    return 0;
  }
  console.out << fmt::format("Estimated {} <-> {} rtt: {:.3f} ms\n", nodes.from, nodes.to, ms);
  return 0;
}

int run_rtt(std::span<const std::string> arguments, Console& console) {
  RttFlags options;
  FlagSet flags = options.flags();
  const auto positional = parse_flags(flags, arguments, rtt_help(), console);
  if (!positional) return positional.error();
  if (positional->empty() || positional->size() > 2) {
    return refuse("One or two node names must be specified", rtt_help(), console);
  }
  if (options.format != "text" && options.format != "json") {
    return console.fail("Invalid output format " + go_quote(options.format));
  }
  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;
  Pair nodes{.from = positional->front(), .to = positional->back()};
  if (positional->size() == 1) {
    const auto stats = client->stats();
    if (!stats) {
      return console.fail("Error querying agent: " + stats.error());
    }
    const auto agent = stats->find("agent");
    if (agent == stats->end() || !agent->second.contains("name")) {
      return console.fail("Error querying agent: it does not say its name");
    }
    nodes.to = agent->second.at("name");
  }
  std::array<Coordinate, 2> coordinates;
  const std::array<std::string*, 2> names{&nodes.from, &nodes.to};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto known = client->coordinate({.node = *names[i]});
    if (!known) {
      return console.fail("Error getting coordinates: " + known.error());
    }
    if (!*known) {
      return console.fail("Could not find a coordinate for node " + go_quote(*names[i]));
    }
    coordinates[i] = **known;
  }
  return print(nodes, distance(coordinates[0], coordinates[1]), options.format, console);
}

}  // namespace

Command rtt_command() {
  return {"rtt", "Estimate the round trip between two members", rtt_help(), run_rtt};
}

}  // namespace starling::agent::cli
