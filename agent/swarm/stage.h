// Stage: the running swarm as the one who leads it sees it: snapshots, orders, and waiting.
//
// Used by one thread, the program's own, while the engines run on theirs. Everything that takes
// time goes through wait(), which keeps the picture, the timeline and the user's interrupt, and
// always has an end: its own bound, and that of the whole run.
#pragma once

#include <functional>

#include "agent/swarm/engine_pool.h"
#include "agent/swarm/run_result.h"
#include "core/base/rng.h"

namespace starling::agent::swarm {

class Stage {
 public:
  static constexpr Duration tick_interval = std::chrono::milliseconds(100);
  // Called at every tick; false ends the run as interrupted.
  using OnTick = std::function<bool(const Picture&)>;

  // All must outlive the stage; the pool runs already.
  Stage(const SwarmPlan& plan, Population& population, EnginePool& pool, RunResult& result,
        OnTick on_tick);

  const SwarmPlan& plan() const { return plan_; }
  Population& population() { return population_; }
  Cuts& cuts() { return pool_.cuts(); }
  Rng& rng() { return rng_; }
  RunResult& result() { return result_; }
  Duration elapsed() const;

  enum class Waited : std::uint8_t { done, late, interrupted };
  struct Wait {
    std::string doing;
    Duration bound{};
    std::function<double()> progress = {};  // 0..1; empty: the share of the bound
  };
  // Ticks until `done` holds. Late: the bound, or the time of the whole run, is over.
  Waited wait(const Wait& what, const std::function<bool()>& done);
  bool interrupted() const { return result_.interrupted; }

  // As of the last tick.
  std::span<const Snapshot> engines() const { return result_.engines; }
  Agreement agreement() const { return swarm::agreement(engines()); }
  // Every engine has reported since then, all say the same, and those that should live do.
  bool agreed_since(Instant since) const;
  // Waits until all agree, and have done so for a probe interval and a second at least.
  Waited await_agreement(const std::string& doing, Duration bound);

  void order(std::uint32_t engine, Order order) { pool_.at(engine).order(std::move(order)); }
  void order_all(const Order& order);
  // Makes a watch that all engines have from now on.
  std::shared_ptr<Watch> watch(MemberEventKind expected, std::vector<std::uint32_t> subjects);
  // Nobody watches any more.
  void unwatch() { order_all({.kind = Order::Kind::watch, .to = {}, .meta = {}, .watch = {}}); }

  // Members that should be alive, and the engines that run.
  bool living(std::uint32_t member) const { return living_[member]; }
  std::uint32_t living_count() const { return living_count_; }
  void bury(std::uint32_t member);
  // Random living ones, all different; fewer when there are not so many.
  std::vector<std::uint32_t> choose_living(std::uint32_t count);
  const std::vector<bool>& running() const { return running_; }
  void end_engine(std::uint32_t engine);

 private:
  bool tick();

  const SwarmPlan& plan_;
  Population& population_;
  EnginePool& pool_;
  RunResult& result_;
  OnTick on_tick_;
  Rng rng_;
  std::vector<bool> living_;
  std::vector<bool> running_;
  std::uint32_t living_count_;
  Instant begin_;
  Picture picture_;
};

}  // namespace starling::agent::swarm
