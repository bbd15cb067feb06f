#include "core/engine/engine.h"

#include "core/shard/shard.h"

namespace starling {

namespace {

// Each lane owns its share of the members; hashing does not share out evenly to the last one.
EngineOptions lane_options(const EngineOptions& options) {
  EngineOptions lane = options;
  if (options.lanes == 1) return lane;
  lane.capacity.coordinates_max = options.coordinates_max();  // of the node's, not of the lane's
  const std::uint32_t share = options.capacity.members_max / options.lanes;
  const std::uint32_t slack = share / 8 + 1024;
  lane.capacity.members_max = std::min(options.capacity.members_max, share + slack);
  return lane;
}

}  // namespace

std::size_t Engine::footprint(const EngineOptions& options) {
  const EngineOptions lane = lane_options(options);
  const std::size_t one = round_up(Shard::footprint(lane), cache_line_bytes) +
                          ring_footprint(options.capacity.event_ring_bytes) +
                          ring_footprint(options.capacity.command_ring_bytes);
  std::size_t shared = 0;
  if (options.lanes > 1) {
    shared = NodeView::footprint(options.lanes, options.capacity.hosted_max) +
             mailboxes_footprint(options.lanes, options.capacity.mail_ring_bytes);
  }
  // A cache line more for a block that does not start on one.
  return options.lanes * one + shared + 3 * cache_line_bytes;
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
  const EngineOptions lane_option = lane_options(options);
  Engine engine;
  std::vector<Mailbox> boxes(1);
  if (options.lanes > 1) {
    engine.view_ = std::make_unique<NodeView>(arena, options.lanes, options.capacity.hosted_max);
    boxes = make_mailboxes(arena, options.lanes, options.capacity.mail_ring_bytes);
  }
  std::vector<RingReader> event_readers;
  for (std::uint32_t lane = 0; lane < options.lanes; ++lane) {
    auto [event_writer, event_reader] = make_ring(arena, options.capacity.event_ring_bytes);
    auto [command_writer, command_reader] = make_ring(arena, options.capacity.command_ring_bytes);
    LanePlace place{.id = ShardId{static_cast<std::uint8_t>(lane)},
                    .lanes = options.lanes,
                    .view = engine.view_.get(),
                    .mail = std::move(boxes[lane])};
    engine.shards_.push_back(std::make_unique<Shard>(arena, lane_option, start,
                                                     EventWriter(std::move(event_writer)),
                                                     std::move(command_reader), std::move(place)));
    engine.lanes_.emplace_back(*engine.shards_.back());
    event_readers.push_back(std::move(event_reader));
    // Commands go to the front lane; the others' rings stay empty.
    if (lane == 0) {
      engine.commands_ = std::make_unique<CommandWriter>(std::move(command_writer));
    }
  }
  engine.events_ = std::make_unique<EventReader>(std::move(event_readers));
  return engine;
}

Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

}  // namespace starling
