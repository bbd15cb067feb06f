// An engine: one node of the cluster, made of lanes. The public door of the library.
//
// Create it from options and a block of zeroed memory (footprint() says how much; untouched pages
// of a fresh mmap cost nothing), drive each lane, send commands, drain events. The engine owns no
// memory but its own small object; the block must outlive it.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "core/engine/lane.h"
#include "core/shard/commands.h"
#include "core/shard/events.h"
#include "core/shard/options.h"

namespace starling {

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

  Lane& lane() { return lane_; }

  // The owner's ends of the two rings. They may be used by another thread than the lane's: one
  // thread sends commands, one thread drains events.
  CommandWriter& commands() { return *commands_; }
  EventReader& events() { return *events_; }

 private:
  Engine(std::unique_ptr<Shard> shard, CommandWriter commands, EventReader events);

  std::unique_ptr<Shard> shard_;
  Lane lane_;
  std::unique_ptr<CommandWriter> commands_;
  std::unique_ptr<EventReader> events_;
};

}  // namespace starling
