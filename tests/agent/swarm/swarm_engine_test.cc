#include "agent/swarm/swarm_engine.h"

#include <gtest/gtest.h>

#include "agent/swarm/engine_plan.h"
#include "io/memory/network.h"

namespace starling::agent::swarm {
namespace {

using std::chrono::milliseconds;

// Two engines on one network, turned by hand with a clock of our own.
class Turning : public testing::Test {
 protected:
  Turning() : population_(20, 2) {
    SwarmOptions options;
    options.members = 20;
    options.engines = 2;
    const SwimOptions swim = swim_options(Profile::lan, milliseconds(100), options.size());
    const SerfOptions serf = serf_options(Profile::lan, milliseconds(100));
    for (std::uint32_t index = 0; index < 2; ++index) {
      const EngineOptions engine = engine_options(options, swim, serf, index);
      auto ports = network_.open(port_options(options, engine));
      EXPECT_TRUE(ports);
      auto made = SwarmEngine::create(engine, std::move(*ports), population_, index, now_);
      EXPECT_TRUE(made) << made.error();
      engines_.push_back(std::move(*made));
    }
  }
  void run(Duration length) {
    for (const Instant end = now_ + length; now_ < end; now_ += milliseconds(1)) {
      for (const auto& engine : engines_) engine->turn(now_);
    }
  }

  Instant now_ = Instant{} + std::chrono::hours(1);
  Population population_;
  io::MemoryNetwork network_;
  std::vector<std::unique_ptr<SwarmEngine>> engines_;
};

TEST_F(Turning, TakesItsShareIn) {
  run(milliseconds(500));
  for (const auto& engine : engines_) {
    const Snapshot snapshot = engine->snapshot();
    EXPECT_TRUE(snapshot.populated);
    EXPECT_EQ(snapshot.stats.hosted, 10u);
    EXPECT_EQ(snapshot.stats.members_alive, 10u);
    EXPECT_EQ(snapshot.orders_refused, 0u) << snapshot.last_problem;
  }
}

TEST_F(Turning, JoinsAndPerformsOrders) {
  run(milliseconds(50));
  engines_[0]->order({.kind = Order::Kind::join, .to = engine_endpoint(1)});
  run(milliseconds(1'000));
  EXPECT_EQ(engines_[0]->snapshot().joins_done, 1u);
  EXPECT_EQ(engines_[0]->snapshot().stats.members_alive, 20u);

  auto watch = std::make_shared<Watch>(
      Watch::Setting{
          .expected = MemberEventKind::update, .members = 20, .engines = 2, .start = now_},
      std::vector<std::uint32_t>{3});
  for (const auto& engine : engines_) {
    engine->order({.kind = Order::Kind::watch, .watch = watch});
  }
  engines_[0]->order({.kind = Order::Kind::set_meta, .member = 3, .meta = "\xff\x81\xa1g\xa1x"});
  run(milliseconds(1'000));
  EXPECT_EQ(watch->happened_count(), 1u);
  EXPECT_EQ(watch->reported_count(1), 1u);

  engines_[0]->order({.kind = Order::Kind::abandon, .member = 4});
  engines_[0]->order({.kind = Order::Kind::leave, .member = 5});
  run(milliseconds(500));
  EXPECT_EQ(engines_[0]->snapshot().orders_refused, 0u);
  engines_[0]->order({.kind = Order::Kind::abandon, .member = 4});  // is not there any more
  run(milliseconds(500));
  EXPECT_EQ(engines_[0]->snapshot().orders_refused, 1u);
  EXPECT_FALSE(engines_[0]->snapshot().last_problem.empty());
}

TEST_F(Turning, AFailedJoinIsCounted) {
  run(milliseconds(50));
  engines_[0]->order({.kind = Order::Kind::join, .to = engine_endpoint(7)});
  run(milliseconds(500));
  EXPECT_EQ(engines_[0]->snapshot().joins_failed, 1u);
}

TEST_F(Turning, AnEndedEngineIsGone) {
  run(milliseconds(300));
  auto watch = std::make_shared<Watch>(
      Watch::Setting{.expected = MemberEventKind::failed, .members = 20, .engines = 2},
      std::vector<std::uint32_t>{10, 11});
  engines_[1]->order({.kind = Order::Kind::watch, .watch = watch});
  engines_[1]->order({.kind = Order::Kind::end});
  run(milliseconds(300));
  EXPECT_TRUE(engines_[1]->snapshot().ended);
  EXPECT_EQ(watch->happened_count(), 2u);
  EXPECT_EQ(engines_[1]->turn(now_).next_due, Instant::max());
  // Its address is free: nobody listens there.
  io::PortOptions options;
  options.bind = engine_endpoint(1);
  EXPECT_TRUE(network_.open(options));
}

}  // namespace
}  // namespace starling::agent::swarm
