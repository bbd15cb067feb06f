// One running process of a node: a production engine with its own zeroed memory.
//
// The memory is fresh pages, as a real process has them; they go when the process goes, so that
// whatever still points into them is found. Owned by the world; one thread.
#pragma once

#include <memory>
#include <optional>

#include "core/engine/engine.h"

namespace starling::sim {

class Process {
 public:
  // Options that the engine refuses are a mistake of the simulator, hence a CHECK.
  Process(const EngineOptions& options, Instant start);

  Engine& engine() { return *engine_; }

 private:
  struct Unmap {
    std::size_t bytes = 0;
    void operator()(std::byte* memory) const;
  };
  std::unique_ptr<std::byte, Unmap> memory_{nullptr, Unmap{}};  // outlives the engine
  std::optional<Engine> engine_;
};

}  // namespace starling::sim
