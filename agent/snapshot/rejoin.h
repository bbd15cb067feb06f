// Rejoin: tries the members of an earlier life one after another until one answers.
//
// protocol/serf section 15. No try is repeated, nothing is announced: the push/pull says all. Runs
// beside the joins that were asked for. Owned by the agent, control thread only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/engine_host.h"
#include "agent/log.h"
#include "agent/snapshot/recovery.h"

namespace starling::agent {

class Rejoin {
 public:
  // `done`: whether one was reached; not called when there is nobody to try.
  using Done = std::function<void(bool reached)>;

  Rejoin(EngineHost& engine, Log& log) : engine_(engine), log_(log) {}
  Rejoin(const Rejoin&) = delete;
  Rejoin& operator=(const Rejoin&) = delete;

  // In the order given. Left out is who has our name, or our address: that would be ourselves under
  // another name, or a member that we host.
  void start(std::vector<SnapshotNode> nodes, const SnapshotNode& own, Done done);

 private:
  void advance();

  EngineHost& engine_;
  Log& log_;
  std::vector<SnapshotNode> nodes_;  // the next one last
  Done done_;
};

}  // namespace starling::agent
