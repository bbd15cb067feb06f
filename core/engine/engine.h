// An engine: one node of the cluster, made of lanes. The public door of the library.
//
// Create it from options and a block of zeroed memory (footprint() says how much; untouched pages
// of a fresh mmap cost nothing), drive each lane, send commands, drain events. The engine owns no
// memory but its own small object; the block must outlive it.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "core/engine/lane.h"
#include "core/shard/commands.h"
#include "core/shard/events.h"
#include "core/shard/options.h"

namespace starling {

class NodeView;

class Engine {
 public:
  // Bytes of memory that create() needs for these options.
  static std::size_t footprint(const EngineOptions& options);

  // `memory` must be zeroed and 64-byte aligned. `start` is the first instant of the node's life:
  // its alive message is queued and its timers run from there. The error names the option at fault.
  static std::expected<Engine, std::string> create(const EngineOptions& options,
                                                   MutableBytes memory, Instant start);
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  // EngineOptions::lanes of them. Each may be driven by a thread of its own; see Lane.
  std::span<Lane> lanes() { return lanes_; }
  // The first, which alone has streams and takes commands.
  Lane& lane() { return lanes_.front(); }

  // The owner's ends of the rings, one of commands and one of events for each lane. They may be
  // used by another thread than the lane's: one thread sends commands, one thread drains events.
  CommandWriter& commands() { return *commands_; }
  EventReader& events() { return *events_; }

 private:
  Engine() = default;

  std::unique_ptr<NodeView> view_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<Lane> lanes_;
  std::unique_ptr<CommandWriter> commands_;
  std::unique_ptr<EventReader> events_;
};

}  // namespace starling
