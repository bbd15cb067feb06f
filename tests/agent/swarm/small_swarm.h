// A real swarm of a few engines with fast timing, for the tests of those who lead it.
#pragma once

#include <gtest/gtest.h>

#include "agent/swarm/stage.h"
#include "agent/swarm/swarm.h"

namespace starling::agent::swarm {

inline SwarmOptions small_options(std::string_view acts = "") {
  SwarmOptions options;
  options.members = 60;
  options.engines = 3;
  options.threads = 2;
  // Long enough for a machine that is busy with other tests.
  options.period = std::chrono::milliseconds(200);
  auto parsed = parse_acts(acts);
  EXPECT_TRUE(parsed) << acts;
  options.acts = std::move(*parsed);
  return options;
}

class SmallSwarm {
 public:
  explicit SmallSwarm(const SwarmOptions& options)
      : plan_(make_plan(options, 2)), population_(options.members, options.engines) {
    auto pool = EnginePool::create(options, plan_.swim, plan_.serf, plan_.threads, population_);
    EXPECT_TRUE(pool) << pool.error();
    pool_ = std::move(*pool);
    EXPECT_EQ(pool_->start(), std::nullopt);
    stage_.emplace(plan_, population_, *pool_, result_, [this](const Picture& picture) {
      last_doing_ = picture.doing;
      ++ticks_;
      return !interrupt_;
    });
  }

  Stage& stage() { return *stage_; }
  RunResult& result() { return result_; }
  EnginePool& pool() { return *pool_; }
  Population& population() { return population_; }
  const SwarmPlan& plan() const { return plan_; }
  void interrupt() { interrupt_ = true; }
  unsigned ticks() const { return ticks_; }
  const std::string& last_doing() const { return last_doing_; }

 private:
  SwarmPlan plan_;
  Population population_;
  std::unique_ptr<EnginePool> pool_;
  RunResult result_;
  bool interrupt_ = false;
  unsigned ticks_ = 0;
  std::string last_doing_;
  std::optional<Stage> stage_;
};

}  // namespace starling::agent::swarm
