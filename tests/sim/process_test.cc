#include "sim/process.h"

#include <gtest/gtest.h>

#include "sim/node_id.h"

namespace starling::sim {
namespace {

EngineOptions options_of(NodeId node) {
  EngineOptions options;
  options.name = name_of(node);
  options.advertise = endpoint_of(node);
  options.capacity.members_max = 16;
  options.capacity.event_ring_bytes = 1u << 16;
  options.capacity.command_ring_bytes = 1u << 14;
  return options;
}

TEST(Process, RunsAnEngineThatKnowsItself) {
  const Instant start{std::chrono::hours(1)};
  Process process(options_of(NodeId{3}), start);
  std::vector<std::byte> room(options_of(NodeId{3}).packet_room_bytes());
  TxPacket blank{.to = {}, .room = room};
  const PollResult turn = process.engine().lane().poll(start, {}, {&blank, 1});
  EXPECT_EQ(turn.filled, 0U) << "alone, it has nobody to talk to";
  EXPECT_GT(turn.next_due, start);
  bool knows_itself = false;
  process.engine().events().drain(100, [&](const Event& event) {
    knows_itself |= event.kind == Event::Kind::member && event.name == "n003" &&
                    event.status == MemberStatus::alive;
  });
  EXPECT_TRUE(knows_itself);
}

TEST(Process, ANewProcessStartsFromZeroedMemory) {
  const Instant start{std::chrono::hours(1)};
  for (int life = 0; life < 3; ++life) {
    auto process = std::make_unique<Process>(options_of(NodeId{1}), start);
    std::size_t events = 0;
    process->engine().events().drain(100, [&](const Event&) { ++events; });
    EXPECT_LE(events, 5U);
  }
}

}  // namespace
}  // namespace starling::sim
