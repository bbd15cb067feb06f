#include "agent/swarm/build_up.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

namespace starling::agent::swarm {
namespace {

using Waited = Stage::Waited;

std::uint64_t joins_ended(const Stage& stage) {
  std::uint64_t ended = 0;
  for (const Snapshot& engine : stage.engines()) ended += engine.joins_done + engine.joins_failed;
  return ended;
}

double known_share(const Stage& stage) {
  double known = 0;
  for (const Snapshot& engine : stage.engines()) known += engine.stats.members_alive;
  return known / (static_cast<double>(stage.engines().size()) * stage.plan().options.members);
}

bool complete(const Stage& stage) {
  return std::ranges::all_of(stage.engines(), [&](const Snapshot& engine) {
    return engine.stats.members_alive == stage.plan().options.members;
  });
}

// Ten microseconds a member are far more than taking in one takes.
Duration populate_bound(const SwarmPlan& plan) {
  return std::chrono::seconds(10) + std::chrono::microseconds(10) * plan.options.members;
}

bool populate(Stage& stage, BuildUp& result) {
  const auto all = [&] {
    return std::ranges::all_of(stage.engines(), [](const Snapshot& e) { return e.populated; });
  };
  const auto share = [&] {
    double hosted = 0;
    for (const Snapshot& engine : stage.engines()) hosted += engine.stats.hosted;
    return hosted / stage.plan().options.members;
  };
  const Waited waited =
      stage.wait({"engines take their members in", populate_bound(stage.plan()), share}, all);
  if (waited == Waited::done) return true;
  result.problem = "not every engine has taken in its share";
  for (const Snapshot& engine : stage.engines()) {
    if (!engine.last_problem.empty()) result.problem += ": " + engine.last_problem;
    if (!engine.last_problem.empty()) break;
  }
  return false;
}

Order join(std::uint32_t engine) {
  return {.kind = Order::Kind::join, .to = engine_endpoint(engine)};
}

// False when the run is over.
bool exchange_round(Stage& stage, BuildUp& result, std::uint32_t bit, const std::string& doing) {
  const std::uint32_t engines = stage.population().engines();
  const std::uint64_t before = joins_ended(stage);
  std::uint64_t asked = 0;
  for (std::uint32_t engine = 0; engine < engines; ++engine) {
    const std::uint32_t partner = engine ^ bit;
    if (partner <= engine || partner >= engines) continue;
    stage.order(engine, join(partner));
    ++asked;
  }
  result.exchanges += static_cast<unsigned>(asked);
  // The engine ends each exchange by its own deadline; the rest is for the snapshots.
  const Duration bound = stage.plan().swim.stream_timeout * 2 + std::chrono::seconds(2);
  const Waited waited = stage.wait({doing, bound, [&] { return known_share(stage); }},
                                   [&] { return joins_ended(stage) >= before + asked; });
  return waited != Waited::interrupted;
}

// Those with gaps exchange with the one who knows most, again and again.
bool fill_gaps(Stage& stage, BuildUp& result, Duration bound) {
  const Duration patience = stage.plan().bounds.gossip + std::chrono::seconds(1);
  Duration next = stage.elapsed() + patience / 2;
  const auto help = [&] {
    if (complete(stage)) return true;
    if (stage.elapsed() < next) return false;
    next = stage.elapsed() + patience;
    const auto best = std::ranges::max_element(
        stage.engines(), {}, [](const Snapshot& e) { return e.stats.members_alive; });
    const auto from = static_cast<std::uint32_t>(best - stage.engines().begin());
    for (std::uint32_t engine = 0; engine < stage.engines().size(); ++engine) {
      if (engine == from) continue;
      if (stage.engines()[engine].stats.members_alive == stage.plan().options.members) continue;
      stage.order(engine, join(from));
      ++result.exchanges;
    }
    return false;
  };
  return stage.wait({"the last gaps are filled", bound, [&] { return known_share(stage); }},
                    help) == Waited::done;
}

}  // namespace

BuildUp build_up(Stage& stage) {
  BuildUp result;
  const SwarmPlan& plan = stage.plan();
  const std::uint32_t engines = stage.population().engines();
  const auto rounds = static_cast<unsigned>(std::bit_width(engines - 1));
  result.bound = populate_bound(plan) + plan.bounds.exchange * (2 * rounds + 8);

  if (!populate(stage, result)) return result;
  result.populated = stage.elapsed();
  for (unsigned round = 0; round < rounds; ++round) {
    const std::string doing =
        fmt::format("engines exchange their tables, round {} of {}", round + 1, rounds);
    if (!exchange_round(stage, result, 1u << round, doing)) return result;
  }
  result.joined = stage.elapsed();
  result.converged =
      fill_gaps(stage, result, result.bound - std::min(result.bound, stage.elapsed()));
  result.took = stage.elapsed();
  for (const Snapshot& engine : stage.engines()) {
    result.exchanges_failed += static_cast<unsigned>(engine.joins_failed);
  }
  result.bytes_resident = process_usage().resident_bytes;
  if (!result.converged && !stage.interrupted()) {
    result.problem =
        fmt::format("after {:.0f} s engines know {:.4f} % of all members",
                    std::chrono::duration<double>(result.took).count(), 100 * known_share(stage));
  }
  return result;
}

}  // namespace starling::agent::swarm
