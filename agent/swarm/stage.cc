#include "agent/swarm/stage.h"

#include <algorithm>
#include <thread>

#include "io/clock.h"

namespace starling::agent::swarm {

Stage::Stage(const SwarmPlan& plan, Population& population, EnginePool& pool, RunResult& result,
             OnTick on_tick)
    : plan_(plan),
      population_(population),
      pool_(pool),
      result_(result),
      on_tick_(std::move(on_tick)),
      rng_(plan.options.seed ^ 0x7374'6167'6500),
      living_(population.members(), true),
      running_(population.engines(), true),
      living_count_(population.members()),
      begin_(io::MonotonicClock::now()) {
  picture_.plan = &plan_;
  picture_.so_far = &result_;
  result_.engines.resize(pool.size());
}

Duration Stage::elapsed() const {
  return io::MonotonicClock::now() - begin_;
}

bool Stage::tick() {
  for (std::uint32_t i = 0; i < pool_.size(); ++i) result_.engines[i] = pool_.at(i).snapshot();
  const Instant now = io::MonotonicClock::now();
  result_.timeline.take(now, result_.engines, process_usage());
  result_.took = picture_.elapsed = now - begin_;
  if (!on_tick_(picture_)) result_.interrupted = true;
  return !result_.interrupted;
}

Stage::Waited Stage::wait(const Wait& what, const std::function<bool()>& done) {
  if (interrupted()) return Waited::interrupted;
  const Instant began = io::MonotonicClock::now();
  picture_.doing = what.doing;
  picture_.bound = what.bound;
  while (true) {
    picture_.doing_for = io::MonotonicClock::now() - began;
    picture_.progress =
        what.progress ? what.progress()
                      : static_cast<double>(picture_.doing_for.count()) /
                            static_cast<double>(std::max<Duration::rep>(1, what.bound.count()));
    picture_.progress = std::clamp(picture_.progress, 0.0, 1.0);
    if (!tick()) return Waited::interrupted;
    if (done()) return Waited::done;
    if (picture_.doing_for >= what.bound || elapsed() >= plan_.timeout) return Waited::late;
    std::this_thread::sleep_for(tick_interval);
  }
}

bool Stage::agreed_since(Instant since) const {
  const Agreement now = agreement();
  return now.agreed() && now.oldest >= since && now.alive == living_count_;
}

Stage::Waited Stage::await_agreement(const std::string& doing, Duration bound) {
  const Duration calm = std::max<Duration>(plan_.swim.probe_interval, std::chrono::seconds(1));
  Instant asked = io::MonotonicClock::now();
  Instant agreed = Instant::max();
  const auto holds = [&] {
    const Instant now = io::MonotonicClock::now();
    if (!agreed_since(asked)) {
      agreed = Instant::max();
      return false;
    }
    agreed = std::min(agreed, now);
    return now - agreed >= calm;
  };
  return wait({.doing = doing,
               .bound = bound + calm,
               .progress =
                   [&] {
                     const Agreement now = agreement();
                     return static_cast<double>(now.holders) / std::max(1u, now.engines);
                   }},
              holds);
}

void Stage::order_all(const Order& order) {
  for (std::uint32_t i = 0; i < pool_.size(); ++i) pool_.at(i).order(order);
}

std::shared_ptr<Watch> Stage::watch(MemberEventKind expected, std::vector<std::uint32_t> subjects) {
  auto made = std::make_shared<Watch>(Watch::Setting{.expected = expected,
                                                     .members = population_.members(),
                                                     .engines = population_.engines(),
                                                     .start = io::MonotonicClock::now()},
                                      std::move(subjects));
  order_all({.kind = Order::Kind::watch, .watch = made});
  return made;
}

void Stage::bury(std::uint32_t member) {
  if (!living_[member]) return;
  living_[member] = false;
  --living_count_;
}

std::vector<std::uint32_t> Stage::choose_living(std::uint32_t count) {
  std::vector<std::uint32_t> candidates;
  candidates.reserve(living_count_);
  for (std::uint32_t member = 0; member < population_.members(); ++member) {
    if (living_[member]) candidates.push_back(member);
  }
  rng_.shuffle(std::span(candidates));
  candidates.resize(std::min<std::size_t>(count, candidates.size()));
  return candidates;
}

void Stage::end_engine(std::uint32_t engine) {
  running_[engine] = false;
  for (std::uint32_t member = population_.first_of(engine);
       member < population_.first_of(engine + 1); ++member) {
    bury(member);
  }
  order(engine, {.kind = Order::Kind::end});
}

}  // namespace starling::agent::swarm
