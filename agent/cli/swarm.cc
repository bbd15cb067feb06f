#include <csignal>
#include <sstream>

#include <unistd.h>

#include "agent/cli/command.h"
#include "agent/signals.h"
#include "agent/swarm/swarm.h"

namespace starling::agent::cli {
namespace {

Help swarm_help() {
  swarm::SwarmFlags options;
  FormatFlag format;
  FlagSet flags = options.flags();
  format.define(flags);
  return help_text("swarm [options]",
                   "  Runs a whole cluster inside this process: engines that each host a share\n"
                   "  of the members and know all of them, and that speak the real protocol to\n"
                   "  each other. Builds it up until everybody knows everybody, then does what\n"
                   "  it is told to it, and measures how long the engines take to notice.\n"
                   "  Exits with 0 only when all happened within the protocol's bounds. As JSON\n"
                   "  the results come at the end, see docs/swarm-json.md.\n",
                   flags);
}

int run_swarm(std::span<const std::string> arguments, Console& console) {
  swarm::SwarmFlags options;
  FormatFlag format;
  FlagSet flags = options.flags();
  format.define(flags);
  const auto positional = parse_flags(flags, arguments, swarm_help(), console);
  if (!positional) return positional.error();
  if (!positional->empty()) return refuse("swarm takes no arguments", swarm_help(), console);
  if (const auto problem = format.problem()) return console.fail(*problem);
  auto finished = options.finish();
  if (!finished) return console.fail("Error: " + finished.error());
  // The results instead of the view: what -json writes into a file.
  std::ostringstream unseen;
  if (format.json() && finished->json_path.empty()) finished->json_path = "/dev/stdout";
  // Before any thread, so that all of them leave signals to this one.
  Signals signals;
  bool ended = false;
  swarm::SwarmConsole swarm_console{
      .out = format.json() ? unseen : console.out,
      .coloured = console.coloured,
      .page = !format.json() && console.coloured && isatty(STDOUT_FILENO) == 1,
      .interrupted = [&] {
        const auto signal = signals.take();
        ended = ended || signal == SIGINT || signal == SIGTERM;
        return ended;
      }};
  return swarm::run_swarm(*finished, swarm_console);
}

}  // namespace

Command swarm_command() {
  return {"swarm", "Run a large cluster in this process", swarm_help(), run_swarm};
}

}  // namespace starling::agent::cli
