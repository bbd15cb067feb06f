// What a run of a swarm was and brought: filled by the director, shown by view and report.
//
// Values only.
#pragma once

#include <string>
#include <vector>

#include "agent/swarm/agreement.h"
#include "agent/swarm/swarm_options.h"
#include "agent/swarm/timeline.h"
#include "agent/swarm/timing.h"
#include "agent/swarm/watch.h"

namespace starling::agent::swarm {

// What is decided before the first engine runs.
struct SwarmPlan {
  SwarmOptions options;
  unsigned threads = 1;
  PeriodChoice period;
  SwimOptions swim;
  SerfOptions serf;
  Bounds bounds{SwimOptions{}, SerfOptions{}, Size{1, 1}};
  Duration loss_length{};  // of an act "loss" without a time
  Duration timeout{};
  std::string port_name;
};

struct ActResult {
  Act act;
  std::uint32_t engine = 0;  // kill-engine: which
  std::uint32_t subjects = 0;
  bool passed = false;
  std::string verdict;   // one sentence
  std::string expected;  // one sentence, with the bound's formula
  Duration began{};      // since the run began
  Duration took{};       // until everything expected was there, or until the bound
  Duration bound{};
  Watch::Result times;
  std::uint64_t failures = 0;  // reports of a failure during the act, over all engines
  std::uint64_t false_failures = 0;
  std::uint64_t refutations = 0;
  std::uint64_t suspicions = 0;
  std::uint32_t views_most = 0;  // different views of the swarm at one time
};

struct BuildUp {
  bool converged = false;
  Duration populated{};  // every engine has its share
  Duration joined{};     // every planned exchange is over
  Duration took{};       // everybody knows everybody
  Duration bound{};
  unsigned exchanges = 0;
  unsigned exchanges_failed = 0;
  std::uint64_t bytes_resident = 0;
  std::string problem;
};

struct RunResult {
  BuildUp build_up;
  std::vector<ActResult> acts;
  Timeline timeline;
  Agreement agreement;  // at the end
  std::vector<Snapshot> engines;
  Duration took{};
  bool interrupted = false;
  bool passed() const;
};

// What the view shows while it runs.
struct Picture {
  const SwarmPlan* plan = nullptr;
  const RunResult* so_far = nullptr;
  Duration elapsed{};
  std::string doing;    // "building up: exchange 3 of 5", "kill 1000"
  double progress = 0;  // 0..1
  Duration doing_for{};
  Duration bound{};  // zero: none
};

}  // namespace starling::agent::swarm
