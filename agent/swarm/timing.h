// Timing: how fast a swarm's protocol runs, and how long everything may take by its rules.
//
// A real cluster has a machine for each member; a swarm has a few cores for all of them. So the
// probe interval is stretched until the probes of all members fit, and every other time of the
// profile with it. Pure functions.
#pragma once

#include <string>

#include "core/shard/options.h"

namespace starling::agent::swarm {

struct Size {
  std::uint32_t members = 0;
  std::uint32_t engines = 0;
};

struct PeriodChoice {
  Duration period{};
  std::string why;
};
// One probe of each member a period may keep `threads` cores busy for at most 60 %. Never shorter
// than the profile's own. `cost` is the processor time of a probe, see probe_cost.
PeriodChoice choose_period(Profile profile, std::uint32_t members, unsigned threads, Duration cost);

// What a probe costs, ping and ack, on both sides: measured, see choose_period.
Duration probe_cost(std::uint32_t members, bool encrypted);

// The profile with all its times stretched or shortened so that the probe interval is `period`, and
// with no more repetitions of a statement than it takes to reach so few engines.
SwimOptions swim_options(Profile profile, Duration period, const Size& size);
SerfOptions serf_options(Profile profile, Duration period);

// Limits, each for a crash, a change or a repair without further faults. The formulas stand in
// docs/swarm-json.md, too.
struct Bounds {
  Bounds(const SwimOptions& swim, const SerfOptions& serf, const Size& size);

  // An engine probes each of the others' members once in a round of `engines` probe intervals, and
  // shuffles in between: twice that until the next probe at the latest, stretched by the health
  // score once.
  Duration sweep{};
  // memberlist's longest suspicion: nobody confirms it.
  Duration suspicion{};
  // Gossip of one statement from one engine to all.
  Duration gossip{};
  // A joined or healed pair of engines has exchanged its tables, and what came of it is known.
  Duration exchange{};

  // The time for `statements` to leave the queues, each as often as the protocol repeats it.
  Duration drain(std::uint32_t statements) const;
  // From a crash until every engine has reported it.
  Duration detection(std::uint32_t victims) const;
  // From a change until every engine has reported it.
  Duration spread(std::uint32_t changes) const;
  // From the end of a partition until all tables are equal: each engine tries to reach a failed
  // member once in a reconnect interval, and an exchange ends with suspicions that must run out.
  Duration repair(std::uint32_t members) const;

 private:
  SwimOptions swim_;
  SerfOptions serf_;
  Size size_;
};

}  // namespace starling::agent::swarm
