#include "agent/swarm/engine_plan.h"

#include <gtest/gtest.h>

#include "agent/swarm/observer.h"
#include "agent/swarm/population.h"
#include "core/engine/engine.h"

namespace starling::agent::swarm {
namespace {

SwarmOptions million() {
  SwarmOptions options;
  options.members = 1'000'000;
  options.engines = 32;
  return options;
}

EngineOptions plan_of(const SwarmOptions& options, std::uint32_t index) {
  const Duration period = std::chrono::seconds(5);
  return engine_options(options, swim_options(options.profile, period, options.size()),
                        serf_options(options.profile, period), index);
}

TEST(EnginePlan, EnginesDifferAndCanRun) {
  for (SwarmOptions options : {SwarmOptions{}, million()}) {
    options.encrypt = true;
    const EngineOptions first = plan_of(options, 0);
    const EngineOptions last = plan_of(options, options.engines - 1);
    EXPECT_EQ(problem_with(first), std::nullopt);
    EXPECT_EQ(problem_with(last), std::nullopt);
    EXPECT_EQ(first.name, "m0000000");
    EXPECT_NE(first.name, last.name);
    EXPECT_NE(first.advertise, last.advertise);
    EXPECT_NE(first.seed, last.seed);
    ASSERT_FALSE(first.keyring.empty());
    EXPECT_TRUE(last.keyring.contains(first.keyring.primary())) << "one key for all";
    EXPECT_GE(first.capacity.members_max, options.members);
    EXPECT_GE(first.capacity.hosted_max, options.members / options.engines);
    EXPECT_EQ(first.traces, Observer::traces);
  }
}

TEST(EnginePlan, PortsAreWhereTheEngineSaysItIs) {
  SwarmOptions options;
  options.port = SwarmPort::uring;
  const EngineOptions engine = plan_of(options, 3);
  const io::PortOptions ports = port_options(options, engine);
  EXPECT_EQ(ports.bind, engine.advertise);
  EXPECT_EQ(ports.choice, io::PortChoice::uring);
  EXPECT_GE(ports.packet_room_bytes, engine.packet_room_bytes());
}

TEST(EnginePlan, QueuesHaveRoomForTheLargestAct) {
  SwarmOptions options = million();
  const std::size_t least = plan_of(options, 0).capacity.queue_slab_bytes;
  options.acts.push_back({.kind = ActKind::kill, .count = 10'000});
  EXPECT_GE(plan_of(options, 0).capacity.queue_slab_bytes, 10'000u * 100);
  options.acts.push_back({.kind = ActKind::update, .count = 1'000'000});
  EXPECT_LE(plan_of(options, 0).capacity.queue_slab_bytes, 8u << 20) << "it is bounded";
  EXPECT_LT(least, 1u << 20);
}

TEST(EnginePlan, MemoryGrowsWithTables) {
  SwarmOptions options = million();
  const std::uint64_t needed = memory_needed(options);
  EXPECT_GT(needed, 32ull * 1'000'000 * 150);
  options.engines = 16;
  EXPECT_LT(memory_needed(options), needed);
  // The reservation covers the need, or the need is counted wrong.
  EXPECT_GT(Engine::footprint(plan_of(options, 0)), memory_needed(options) / options.engines);
}

TEST(EnginePlan, RefusesWhatDoesNotFit) {
  SwarmOptions options = million();
  EXPECT_EQ(memory_problem(options, 1ull << 40), std::nullopt);
  const auto free = memory_problem(options, 1ull << 30);
  ASSERT_TRUE(free);
  EXPECT_NE(free->find("1000000 members on 32 engines"), std::string::npos);
  EXPECT_NE(free->find("0.9 GiB"), std::string::npos) << *free;
  options.memory_bytes_max = 2ull << 30;
  const auto given = memory_problem(options, 1ull << 40);
  ASSERT_TRUE(given);
  EXPECT_NE(given->find("-limit-memory allows 2.0 GiB"), std::string::npos) << *given;
  EXPECT_EQ(memory_problem(SwarmOptions{}, 0), std::nullopt) << "nothing is known";
  EXPECT_GT(memory_available(), 0u);
}

}  // namespace
}  // namespace starling::agent::swarm
