#include "agent/swarm/swarm.h"

#include <algorithm>
#include <bit>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/durations.h"
#include "agent/swarm/build_up.h"
#include "agent/swarm/engine_plan.h"
#include "agent/swarm/performance.h"
#include "agent/swarm/report.h"
#include "agent/swarm/view.h"
#include "io/clock.h"

namespace starling::agent::swarm {
namespace {

// The longest that the acts may take by their own bounds, and as much again for the build-up.
Duration whole_run(const SwarmPlan& plan) {
  const SwarmOptions& options = plan.options;
  const Bounds& bounds = plan.bounds;
  const auto rounds = static_cast<unsigned>(std::bit_width(options.engines - 1));
  Duration sum = std::chrono::minutes(1) + bounds.exchange * (2 * rounds + 8) +
                 std::chrono::microseconds(20) * options.members;
  for (const Act& act : options.acts) {
    const double churned = act.rate * std::chrono::duration<double>(act.length).count();
    const auto statements = std::min<double>(act.count + 2 * churned, 1e9);
    sum += act.length + plan.loss_length +
           bounds.detection(static_cast<std::uint32_t>(statements)) +
           bounds.repair(options.members) + plan.serf.broadcast_timeout * 100;
  }
  return sum;
}

void introduce(const SwarmPlan& plan, std::ostream& out) {
  out << fmt::format(
             "{} members on {} engines, {} threads, {} ports, about {:.2f} GiB\n"
             "probe interval {}: {}\n",
             plan.options.members, plan.options.engines, plan.threads, to_text(plan.options.port),
             static_cast<double>(memory_needed(plan.options)) / (1u << 30),
             format_duration(plan.period.period), plan.period.why)
      << std::flush;
}

void play(Stage& stage, RunResult& result, const SwarmPlan& plan) {
  result.build_up = build_up(stage);
  if (result.build_up.converged) {
    // What the build-up left in the queues is not what the acts are about.
    stage.wait({"the last of the build-up is gossiped", plan.bounds.drain(65'536)},
               [&] { return result.timeline.newest().queued == 0; });
  }
  for (const Act& act : plan.options.acts) {
    if (!result.build_up.converged || result.interrupted) break;
    result.acts.push_back(perform(stage, act));
  }
  result.agreement = stage.agreement();
}

bool write_json(const std::string& path, const nlohmann::ordered_json& json) {
  std::ofstream file(path);
  file << json.dump(1) << "\n";
  file.close();
  return !file.fail();
}

}  // namespace

SwarmPlan make_plan(const SwarmOptions& options, unsigned cores) {
  SwarmPlan plan{.options = options};
  plan.threads = options.threads > 0 ? options.threads : std::max(1u, cores);
  plan.threads = std::min(plan.threads, options.engines);
  const unsigned busy = std::min(plan.threads, std::max(1u, cores));
  plan.period = options.period > Duration::zero()
                    ? PeriodChoice{options.period, "as asked for"}
                    : choose_period(options.profile, options.members, busy,
                                    probe_cost(options.members, options.encrypt));
  plan.swim = swim_options(options.profile, plan.period.period, options.size());
  plan.serf = serf_options(options.profile, plan.period.period);
  plan.bounds = Bounds(plan.swim, plan.serf, options.size());
  plan.loss_length = 20 * plan.period.period;
  plan.timeout = options.timeout > Duration::zero() ? options.timeout : whole_run(plan);
  plan.port_name = to_text(options.port);
  return plan;
}

int run_swarm(const SwarmOptions& options, SwarmConsole& console) {
  if (const auto problem = problem_with(options)) {
    console.out << "Error: " << *problem << "\n";
    return 1;
  }
  if (const auto problem = memory_problem(options, memory_available())) {
    console.out << "Error: " << *problem << "\n";
    return 1;
  }
  SwarmPlan plan = make_plan(options, std::thread::hardware_concurrency());
  introduce(plan, console.out);
  Population population(options.members, options.engines);
  auto pool = EnginePool::create(options, plan.swim, plan.serf, plan.threads, population);
  if (!pool) {
    console.out << "Error: " << pool.error() << "\n";
    return 1;
  }
  plan.port_name = (*pool)->port_name();
  if (const auto problem = (*pool)->start()) {
    console.out << "Error: " << *problem << "\n";
    return 1;
  }

  RunResult result;
  {
    View view(console.out, {.page = console.page && options.view, .coloured = console.coloured});
    Stage stage(plan, population, **pool, result, [&](const Picture& picture) {
      view.show(picture, io::MonotonicClock::now());
      return !console.interrupted || !console.interrupted();
    });
    play(stage, result, plan);
  }
  (*pool)->stop();
  console.out << summary(plan, result, console.coloured) << std::flush;
  if (!options.json_path.empty() && !write_json(options.json_path, report_json(plan, result))) {
    console.out << "Error: cannot write " << options.json_path << "\n";
    return 1;
  }
  return result.passed() ? 0 : 1;
}

}  // namespace starling::agent::swarm
