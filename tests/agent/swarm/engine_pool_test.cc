#include "agent/swarm/engine_pool.h"

#include "tests/agent/swarm/small_swarm.h"

namespace starling::agent::swarm {
namespace {

class Ports : public testing::TestWithParam<SwarmPort> {};

TEST_P(Ports, CarryAPoolOfEngines) {
#ifndef STARLING_DPDK
  if (GetParam() == SwarmPort::rings) GTEST_SKIP() << "this build has no DPDK";
#endif
  SwarmOptions options = small_options();
  options.port = GetParam();
  SmallSwarm swarm(options);
  EXPECT_EQ(swarm.pool().port_name(), to_text(GetParam()));
  EXPECT_EQ(swarm.stage().wait({"populate", std::chrono::minutes(1)},
                               [&] {
                                 return std::ranges::all_of(
                                     swarm.stage().engines(),
                                     [](const Snapshot& engine) { return engine.populated; });
                               }),
            Stage::Waited::done);
  swarm.pool().stop();
  swarm.pool().stop();  // once more does nothing
}
INSTANTIATE_TEST_SUITE_P(EnginePool, Ports,
                         testing::Values(SwarmPort::memory, SwarmPort::sockets, SwarmPort::rings),
                         [](const auto& each) { return std::string(to_text(each.param)); });

TEST(EnginePool, SaysWhichEngineCannotBe) {
  SwarmOptions options = small_options();
  options.port = SwarmPort::sockets;
  const SwarmPlan plan = make_plan(options, 2);
  const Population population(options.members, options.engines);
  const auto first = EnginePool::create(options, plan.swim, plan.serf, 1, population);
  ASSERT_TRUE(first) << first.error();
  const auto second = EnginePool::create(options, plan.swim, plan.serf, 1, population);
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().starts_with("engine 0: ")) << second.error();
}

}  // namespace
}  // namespace starling::agent::swarm
