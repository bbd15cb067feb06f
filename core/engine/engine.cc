#include "core/engine/engine.h"

#include "core/shard/shard.h"

namespace starling {

std::size_t Engine::footprint(const EngineOptions& options) {
  // One cache line more for a block that does not start on one.
  return Shard::footprint(options) + ring_footprint(options.capacity.event_ring_bytes) +
         ring_footprint(options.capacity.command_ring_bytes) + 3 * cache_line_bytes;
}

std::expected<Engine, std::string> Engine::create(const EngineOptions& options, MutableBytes memory,
                                                  Instant start) {
  if (std::optional<std::string> problem = problem_with(options)) {
    return std::unexpected(*std::move(problem));
  }
  const std::size_t need = footprint(options);
  if (memory.size() < need) {
    return std::unexpected("the engine needs " + std::to_string(need) + " bytes of memory, given " +
                           std::to_string(memory.size()));
  }
  Arena arena(memory);
  auto [event_writer, event_reader] = make_ring(arena, options.capacity.event_ring_bytes);
  auto [command_writer, command_reader] = make_ring(arena, options.capacity.command_ring_bytes);
  auto shard = std::make_unique<Shard>(arena, options, start, EventWriter(std::move(event_writer)),
                                       std::move(command_reader));
  return Engine(std::move(shard), CommandWriter(std::move(command_writer)),
                EventReader(std::move(event_reader)));
}

Engine::Engine(std::unique_ptr<Shard> shard, CommandWriter commands, EventReader events)
    : shard_(std::move(shard)),
      lane_(*shard_),
      commands_(std::make_unique<CommandWriter>(std::move(commands))),
      events_(std::make_unique<EventReader>(std::move(events))) {}

Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

}  // namespace starling
