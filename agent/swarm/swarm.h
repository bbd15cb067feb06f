// A swarm from options to exit status: plan, engines, build-up, acts, report.
//
// The whole subcommand but its command line. Runs on the caller's thread, which starts the others.
#pragma once

#include <functional>
#include <ostream>

#include "agent/swarm/run_result.h"

namespace starling::agent::swarm {

// Everything that follows from the options; `cores` are those of this machine.
SwarmPlan make_plan(const SwarmOptions& options, unsigned cores);

struct SwarmConsole {
  std::ostream& out;
  bool coloured = false;
  bool page = false;                            // `out` is a terminal for a redrawn page
  std::function<bool()> interrupted = nullptr;  // asked at every tick; may be empty
};

// The exit status: 0 only when the swarm formed and every act kept its bound. Complaints go to
// console.out.
int run_swarm(const SwarmOptions& options, SwarmConsole& console);

}  // namespace starling::agent::swarm
