// One seed from beginning to end, and what it found.
//
// A run: draw a cluster and a fault plan, boot, chaos, calm, converge within the bound; then, in
// the quiet, user events reach everybody once, a graceful leave is seen as one, a crash is
// detected. The checkers watch all of it. Used by tests and by the starling_sim program; one
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/chaos.h"
#include "sim/faults.h"
#include "sim/world.h"

namespace starling::sim {

struct RunOptions {
  FaultMask without;                 // kinds of fault left out
  std::optional<std::size_t> nodes;  // instead of the seed's own choice
  std::uint32_t lanes = 1;           // of every node
};

struct RunResult {
  std::uint64_t seed = 0;
  std::uint64_t hash = 0;
  std::size_t violations = 0;
  std::vector<Violation> kept;
  Report report;
  std::string cluster;  // "9 nodes, lan, encrypted"
  std::vector<std::string> faults;
  Duration lasted{};           // virtual time
  Duration converged_after{};  // the calm
  Duration convergence_bound{};

  bool ok() const { return violations == 0; }
};

// The cluster that a seed means.
WorldOptions draw_world(std::uint64_t seed, const RunOptions& options);

RunResult run_seed(std::uint64_t seed, const RunOptions& options = {}, TraceSink sink = {});

}  // namespace starling::sim
