#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "agent/cli/command.h"
#include "agent/cli/interrupt.h"

namespace starling::agent::cli {
namespace {

struct ReachabilityFlags {
  RpcFlags rpc;
  FormatFlag format;
  bool verbose = false;
  FlagSet flags() {
    FlagSet set;
    set.boolean({"verbose", "", "Show each member that answers, and how long it took."}, verbose);
    format.define(set);
    rpc.define(set);
    return set;
  }
};

Help reachability_help() {
  ReachabilityFlags options;
  return help_text("reachability [options]",
                   "  Asks all members for a sign of life and compares who answers with who is\n"
                   "  listed as alive.\n",
                   options.flags());
}

constexpr std::string_view advice =
    "Things to look at:\n"
    "* Are these members running, and are their machines up?\n"
    "* Do firewalls let UDP and TCP through on the gossip port, in both directions?\n"
    "* Does the address that each member advertises lead to it from everywhere?\n"
    "* Do all members have the same encryption keys and the same profile?\n"
    "* Do their logs, or the machines, tell of overload or of lost packets?\n";

struct Reached {
  std::set<std::string> live;       // members listed as alive
  std::set<std::string> acks_from;  // members that answered
  std::size_t acks = 0;
  bool twice = false;
};

void print_names(const std::set<std::string>& names, const std::set<std::string>& but,
                 std::ostream& out) {
  for (const std::string& name : names) {
    if (!but.contains(name)) out << "\t" << name << "\n";
  }
}

std::vector<std::string> missing_in(const std::set<std::string>& names,
                                    const std::set<std::string>& others) {
  std::vector<std::string> missing;
  std::ranges::set_difference(names, others, std::back_inserter(missing));
  return missing;
}

int print_verdict(const Reached& reached, std::size_t members, Console& console) {
  const auto silent = missing_in(reached.live, reached.acks_from);
  const auto not_live = missing_in(reached.acks_from, reached.live);
  const bool well = silent.empty() && not_live.empty() && !reached.twice;
  print_json(console.out, {{"members", members},
                           {"live", reached.live.size()},
                           {"acks", reached.acks},
                           {"silent", silent},
                           {"not_live", not_live},
                           {"answered_twice", reached.twice},
                           {"reachable", well}});
  return well ? 0 : 1;
}

int judge(const Reached& reached, Console& console) {
  int status = 0;
  if (reached.twice) {
    console.out << "Who answers twice shares its name with another member: names must be unique.\n";
    status = 1;
  }
  if (reached.acks == reached.live.size()) {
    console.out << "Successfully contacted all live nodes\n";
    return status;
  }
  if (reached.acks > reached.live.size()) {
    console.out << "Received more acks than live nodes! Acks from non-live nodes:\n";
    print_names(reached.acks_from, reached.live, console.out);
    console.out << "They run, but are held for failed: probes of them get lost.\n\n" << advice;
  } else {
    console.out << "Received less acks than live nodes! Missing acks from:\n";
    print_names(reached.live, reached.acks_from, console.out);
    console.out << "Gossip does not reach them, or their answers do not come back.\n\n" << advice;
  }
  return 1;
}

int run_reachability(std::span<const std::string> arguments, Console& console) {
  ReachabilityFlags options;
  FlagSet flags = options.flags();
  const auto positional = parse_flags(flags, arguments, reachability_help(), console);
  if (!positional) return positional.error();
  if (const auto problem = options.format.problem()) {
    return console.fail(*problem);
  }
  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;
  const bool json = options.format.json();

  Reached reached;
  std::size_t members = 0;
  const auto listed = client->members([&](const MemberInfo& member) {
    ++members;
    if (member.status == "alive") reached.live.insert(member.name);
  });
  if (!listed) {
    return console.fail("Error getting members: " + listed.error());
  }
  if (!json)
    console.out << "Total members: " << members << ", live members: " << reached.live.size()
                << "\n";

  const auto asked = client->query({.name = "_serf_ping",
                                    .payload = {},
                                    .nodes = {},
                                    .tags = {},
                                    .timeout_ns = 0,
                                    .relay_factor = 0,
                                    .want_acks = true});
  if (!asked) {
    return console.fail("Error sending query: " + asked.error());
  }
  if (!json) console.out << "Starting reachability test...\n" << std::flush;
  const auto start = std::chrono::steady_clock::now();
  auto last = start;
  const InterruptDescriptor interrupt;
  for (;;) {
    const auto record = client->next_record(interrupt.descriptor());
    if (!record || !*record) {
      return console.fail("Test interrupted");
    }
    const auto answer = decode_query_record(as_bytes((*record)->body));
    if (!answer || answer->type == "done") break;
    if (answer->type != "ack" || answer->from.empty()) continue;  // as in `query`
    if (options.verbose && !json)
      console.out << "\tAck from '" << answer->from << "'\n" << std::flush;
    ++reached.acks;
    if (!reached.acks_from.insert(answer->from).second) {
      reached.twice = true;
      if (!json) console.out << "Duplicate response from '" << answer->from << "'\n";
    }
    last = std::chrono::steady_clock::now();
  }
  if (json) return print_verdict(reached, members, console);
  if (options.verbose) {
    const std::chrono::duration<double> total = std::chrono::steady_clock::now() - start;
    const std::chrono::duration<double> to_last = last - start;
    console.out << fmt::format("Query time: {:.2f} sec, time to last response: {:.2f} sec\n",
                               total.count(), to_last.count());
  }
  return judge(reached, console);
}

}  // namespace

Command reachability_command() {
  return {"reachability", "Find out which members do not answer", reachability_help(),
          run_reachability};
}

}  // namespace starling::agent::cli
