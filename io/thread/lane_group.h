// LaneGroup: the threads of one node, a lane each, until they are stopped.
//
// Lane i gets ports i; lane 0's have the streams. Pages of an engine's memory that a lane touches
// first lie near its core, because the system places them where they are first written. The owner
// starts and stops the group; engine and ports belong to the threads in between and outlive it.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "io/thread/lane_bells.h"
#include "io/thread/lane_thread.h"

namespace starling::io {

class LaneGroup {
 public:
  struct Options {
    bool pin = false;  // lane i to physical core i, starting over when there are fewer cores
    RunOptions run = {};
  };
  // `on_news` is called by a thread after a turn that has news for the owner. As many ports as the
  // engine has lanes. The error says which thread could not be started, or bound, and why.
  static std::expected<std::unique_ptr<LaneGroup>, std::string> start(Engine& engine,
                                                                      std::span<Ports* const> ports,
                                                                      std::function<void()> on_news,
                                                                      const Options& options);

  ~LaneGroup() { stop(); }
  LaneGroup(const LaneGroup&) = delete;
  LaneGroup& operator=(const LaneGroup&) = delete;

  // Returns when all threads have ended. Idempotent.
  void stop();

  // Physical cores of this machine as hwloc counts them; 1 when it cannot tell.
  static unsigned cores();

 private:
  explicit LaneGroup(std::span<Ports* const> ports) : bells_({ports.begin(), ports.end()}) {}

  LaneBells bells_;
  std::vector<std::unique_ptr<LaneThread>> threads_;
};

}  // namespace starling::io
