#include "agent/swarm/performance.h"

#include <algorithm>
#include <deque>

#include <fmt/format.h>

#include "agent/durations.h"
#include "core/serf/tags.h"
#include "io/clock.h"

namespace starling::agent::swarm {
namespace {

using Waited = Stage::Waited;

// Tags with a number that is new.
std::string meta_of_generation(std::uint64_t generation) {
  const std::string value = std::to_string(generation);
  std::array<Tag, 1> tags{Tag{.key = "generation", .value = value}};
  std::array<std::byte, meta_bytes_max> room;
  const auto meta = write_tags(tags, 5, room);
  CHECK(meta);
  return std::string(as_text(*meta));
}

void await_reports(Stage& stage, ActResult& result, const Watch& watch) {
  const auto count = static_cast<std::uint32_t>(watch.subjects().size());
  const Instant began = io::MonotonicClock::now();
  const std::vector<bool>& asked = stage.running();
  const auto least = [&] {
    std::uint32_t fewest = watch.happened_count();
    for (std::uint32_t engine = 0; engine < asked.size(); ++engine) {
      if (asked[engine]) fewest = std::min(fewest, watch.reported_count(engine));
    }
    return fewest;
  };
  const auto all = [&] {
    result.views_most = std::max(result.views_most, stage.agreement().views);
    return watch.happened_count() == count && least() == count && stage.agreed_since(began);
  };
  const Waited waited = stage.wait(
      {result.act.text, result.bound, [&] { return static_cast<double>(least()) / count; }}, all);
  result.times = watch.result(asked);
  const auto engines = std::ranges::count(asked, true);
  result.passed = waited == Waited::done;
  result.verdict =
      result.passed
          ? fmt::format("all {} known to all {} engines after {:.2f} s", count, engines,
                        in_seconds(result.times.last.max()))
          : fmt::format("{} of {} known to all {} engines, {} to none; {} different views",
                        result.times.reported_by_all, count, engines, result.times.reported_by_none,
                        stage.agreement().views);
}

void end_members(Stage& stage, ActResult& result) {
  const bool leaves = result.act.kind == ActKind::leave;
  std::vector<std::uint32_t> subjects = stage.choose_living(result.act.count);
  result.subjects = static_cast<std::uint32_t>(subjects.size());
  const SerfOptions& serf = stage.plan().serf;
  const Bounds& bounds = stage.plan().bounds;
  if (leaves) {
    // An engine lets 32 leave at a time, each for two broadcasts and a pause.
    const std::int64_t waves = result.subjects / (32 * stage.population().engines()) + 1;
    const Duration wave = 2 * serf.broadcast_timeout + serf.leave_propagate_delay;
    result.bound = bounds.spread(result.subjects) + (waves + 1) * wave;
    result.expected = "every engine hears that they left, within the waves of leaving and gossip";
  } else {
    result.bound = bounds.detection(result.subjects);
    result.expected =
        "every engine reports every one as failed, within probe sweep + longest suspicion + gossip";
  }
  for (const std::uint32_t member : subjects) {
    stage.population().excuse(member, true);
    stage.bury(member);
  }
  const auto watch =
      stage.watch(leaves ? MemberEventKind::leave : MemberEventKind::failed, std::move(subjects));
  for (const std::uint32_t member : watch->subjects()) {
    stage.order(stage.population().engine_of(member),
                {.kind = leaves ? Order::Kind::leave : Order::Kind::abandon, .member = member});
  }
  await_reports(stage, result, *watch);
}

void end_engine(Stage& stage, ActResult& result) {
  std::vector<std::uint32_t> running;
  for (std::uint32_t engine = 0; engine < stage.running().size(); ++engine) {
    if (stage.running()[engine]) running.push_back(engine);
  }
  result.engine = running[stage.rng().below(running.size())];
  Population& population = stage.population();
  std::vector<std::uint32_t> subjects;
  for (std::uint32_t member = population.first_of(result.engine);
       member < population.first_of(result.engine + 1); ++member) {
    population.excuse(member, true);
    if (stage.living(member)) subjects.push_back(member);
  }
  result.subjects = static_cast<std::uint32_t>(subjects.size());
  result.bound = stage.plan().bounds.detection(result.subjects);
  result.expected =
      "every other engine reports all its members as failed, within probe sweep + longest "
      "suspicion + gossip";
  const auto watch = stage.watch(MemberEventKind::failed, std::move(subjects));
  stage.end_engine(result.engine);
  await_reports(stage, result, *watch);
}

void change_members(Stage& stage, ActResult& result) {
  std::vector<std::uint32_t> subjects = stage.choose_living(result.act.count);
  result.subjects = static_cast<std::uint32_t>(subjects.size());
  const std::int64_t waves = result.subjects / (32 * stage.population().engines()) + 1;
  result.bound = stage.plan().bounds.spread(result.subjects) +
                 (waves + 1) * stage.plan().serf.broadcast_timeout;
  result.expected = "every engine reports every change, within the waves of broadcasts and gossip";
  const auto watch = stage.watch(MemberEventKind::update, std::move(subjects));
  const std::string meta = meta_of_generation(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(stage.elapsed()).count()));
  for (const std::uint32_t member : watch->subjects()) {
    stage.order(stage.population().engine_of(member),
                {.kind = Order::Kind::set_meta, .member = member, .meta = meta});
  }
  await_reports(stage, result, *watch);
}

// After a fault that anybody may have suffered from: everything must be as it should.
void await_repair(Stage& stage, ActResult& result) {
  const Instant began = io::MonotonicClock::now();
  const Waited waited = stage.await_agreement(result.act.text + ": views become one", result.bound);
  const Agreement now = stage.agreement();
  result.passed = waited == Waited::done;
  result.verdict =
      result.passed
          ? fmt::format("all {} engines agree on {} living members {:.2f} s after the end",
                        now.engines, now.alive, in_seconds(io::MonotonicClock::now() - began))
          : fmt::format("{} different views, {} of {} engines see {} living members of {}",
                        now.views, now.holders, now.engines, now.alive, stage.living_count());
}

void let_time_pass(Stage& stage, ActResult& result, const std::string& doing, Duration length) {
  stage.wait({doing, length}, [&] {
    result.views_most = std::max(result.views_most, stage.agreement().views);
    return false;
  });
}

void partition(Stage& stage, ActResult& result) {
  result.subjects = stage.living_count();
  result.bound = stage.plan().bounds.repair(stage.living_count());
  result.expected =
      "all views are equal and nobody is missing, within 14 reconnect intervals + exchange + probe "
      "sweep + longest suspicion + gossip";
  stage.population().excuse_everybody(true);
  stage.cuts().split(stage.population().engines() / 2);
  let_time_pass(stage, result, result.act.text, result.act.length);
  stage.cuts().split(0);
  await_repair(stage, result);
  stage.population().excuse_everybody(false);
}

void loss(Stage& stage, ActResult& result) {
  const Duration length =
      result.act.length > Duration::zero() ? result.act.length : stage.plan().loss_length;
  result.subjects = stage.living_count();
  result.bound = stage.plan().bounds.detection(0);
  result.expected = "nobody is reported as failed, and all views stay or become equal";
  stage.cuts().lose(result.act.probability);
  let_time_pass(stage, result, result.act.text, length);
  stage.cuts().lose(0);
  await_repair(stage, result);
}

// A member ends and comes back one probe interval later with other metadata.
void churn(Stage& stage, ActResult& result) {
  struct Return {
    Instant due;
    std::uint32_t member;
  };
  std::deque<Return> away;
  const Duration absence = stage.plan().swim.probe_interval;
  const Instant began = io::MonotonicClock::now();
  Population& population = stage.population();
  const std::vector<std::uint32_t> order = stage.choose_living(stage.living_count());
  std::size_t next = 0;
  const auto bring_back = [&](Instant now, bool all) {
    for (; !away.empty() && (all || away.front().due <= now); away.pop_front()) {
      const std::uint32_t member = away.front().member;
      stage.order(population.engine_of(member), {.kind = Order::Kind::host,
                                                 .member = member,
                                                 .meta = meta_of_generation(result.subjects)});
    }
  };
  stage.wait({result.act.text, result.act.length}, [&] {
    const Instant now = io::MonotonicClock::now();
    const double wanted = result.act.rate * in_seconds(now - began);
    // Each in turn, so that nobody is ended twice in a short time.
    while (result.subjects < wanted && away.size() < order.size() / 2) {
      const std::uint32_t member = order[next++ % order.size()];
      population.excuse(member, true);
      stage.order(population.engine_of(member), {.kind = Order::Kind::abandon, .member = member});
      away.push_back({now + absence, member});
      ++result.subjects;
    }
    bring_back(now, false);
    return false;
  });
  bring_back({}, true);
  // Two statements for each, and a suspicion that may have begun must end.
  result.bound = stage.plan().bounds.detection(2 * result.subjects);
  result.expected =
      "everybody is back in every view, within probe sweep + longest suspicion + gossip";
  await_repair(stage, result);
  for (std::size_t i = 0; i < std::min(next, order.size()); ++i) {
    population.excuse(order[i], false);
  }
}

void rest(Stage& stage, ActResult& result) {
  result.expected = "nobody is reported as failed";
  let_time_pass(stage, result, result.act.text, result.act.length);
  result.bound = stage.plan().bounds.gossip;
  await_repair(stage, result);
}

void play(Stage& stage, ActResult& result) {
  switch (result.act.kind) {
    case ActKind::kill:
    case ActKind::leave:
      return end_members(stage, result);
    case ActKind::kill_engine:
      return end_engine(stage, result);
    case ActKind::partition:
      return partition(stage, result);
    case ActKind::churn:
      return churn(stage, result);
    case ActKind::loss:
      return loss(stage, result);
    case ActKind::update:
      return change_members(stage, result);
    case ActKind::wait:
      return rest(stage, result);
  }
}

}  // namespace

ActResult perform(Stage& stage, const Act& act) {
  ActResult result{.act = act};
  const Sample before = stage.result().timeline.newest();
  const auto suspicions = [&] {
    std::uint64_t sum = 0;
    for (const Snapshot& engine : stage.engines()) sum += engine.sightings.suspected;
    return sum;
  };
  const std::uint64_t suspected = suspicions();
  result.began = stage.elapsed();
  play(stage, result);
  stage.unwatch();
  result.took = stage.elapsed() - result.began;
  const Sample& after = stage.result().timeline.newest();
  result.failures = after.failures - before.failures;
  result.false_failures = after.false_failures - before.false_failures;
  result.refutations = after.refutations - before.refutations;
  result.suspicions = suspicions() - suspected;
  if (stage.interrupted()) {
    result.passed = false;
    result.verdict = "interrupted";
  } else if (result.false_failures > 0) {
    result.passed = false;
    result.verdict += fmt::format("; {} reports of a failure that was none", result.false_failures);
  }
  return result;
}

}  // namespace starling::agent::swarm
