// starling_sim: traces, campaigns and measurements of simulated clusters. See usage().
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "sim/campaign.h"
#include "sim/command_line.h"

namespace starling::sim {
namespace {

// The seed under way, for the last words of a process that a CHECK ends.
volatile std::sig_atomic_t aborted = 0;
std::uint64_t seed_under_way = 0;

void on_abort(int) {
  if (aborted != 0) return;
  aborted = 1;
  std::fprintf(stderr, "seed %llu ended the process\n",
               static_cast<unsigned long long>(seed_under_way));
}

// Less means that queries are not passed on as they should be.
constexpr double heard_share_min = 0.97;

double seconds_of(Duration time) {
  return std::chrono::duration<double>(time).count();
}

void print_violations(const RunResult& result) {
  for (const Violation& each : result.kept) {
    std::printf("  %s at %s: %s\n", std::string(to_text(each.rule)).c_str(),
                name_of(each.observer).c_str(), each.text.c_str());
  }
  if (result.violations > result.kept.size()) {
    std::printf("  and %zu more\n", result.violations - result.kept.size());
  }
  std::printf("again: scripts/sim %llu\n", static_cast<unsigned long long>(result.seed));
}

void print_result(const RunResult& result) {
  std::printf(
      "seed %llu: %s, %s, %.1f s, converged %.1f s after the calm (bound %.0f s), "
      "trace %016llx\n",
      static_cast<unsigned long long>(result.seed), result.ok() ? "ok" : "FAILED",
      result.cluster.c_str(), seconds_of(result.lasted), seconds_of(result.converged_after),
      seconds_of(result.convergence_bound), static_cast<unsigned long long>(result.hash));
  if (!result.ok()) print_violations(result);
}

int print_trace(const CommandLine& line) {
  const RunResult result =
      run_seed(line.seed, {.without = line.without, .nodes = line.nodes, .lanes = line.lanes},
               [](std::string_view text) {
                 std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
               });
  print_result(result);
  return result.ok() ? 0 : 1;
}

int run_campaign(const CommandLine& line) {
  Report total;
  Duration slowest{};
  std::uint64_t done = 0;
  for (std::uint64_t seed = line.first_seed; line.seeds == 0 || done < line.seeds; ++seed, ++done) {
    seed_under_way = seed;
    const RunResult result =
        run_seed(seed, {.without = line.without, .nodes = line.nodes, .lanes = line.lanes});
    total.merge(result.report);
    slowest = std::max(slowest, result.converged_after);
    if (!line.quiet || !result.ok()) print_result(result);
    std::fflush(stdout);
    if (!result.ok()) return 1;
  }
  std::printf("%s%llu seeds ok, slowest convergence %.1f s\n", total.to_text().c_str(),
              static_cast<unsigned long long>(done), seconds_of(slowest));
  const std::vector<Count> missing = total.never_seen();
  for (const Count count : missing) {
    std::printf("never seen: %s\n", std::string(to_text(count)).c_str());
  }
  // Gossip without faults misses few: as Serf's with the same number of transmissions.
  const bool unheard = total.heard_share() < heard_share_min;
  if (unheard) std::printf("queries reached only %.3f of the nodes\n", total.heard_share());
  return line.demand_all && (unheard || !missing.empty()) ? 1 : 0;
}

// Leaves out one kind of fault after the other while the seed still fails.
int reduce(const CommandLine& line) {
  FaultMask without = line.without;
  const auto fails = [&](const FaultMask& mask) {
    seed_under_way = line.seed;
    return !run_seed(line.seed, {.without = mask, .nodes = line.nodes, .lanes = line.lanes}).ok();
  };
  if (!fails(without)) {
    std::printf("seed %llu does not fail\n", static_cast<unsigned long long>(line.seed));
    return 1;
  }
  std::string list;
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    FaultMask less = without;
    less.set(i);
    if (less == without || !fails(less)) continue;
    without = less;
    list += (list.empty() ? "" : ",") + std::string(to_text(static_cast<FaultKind>(i)));
  }
  const RunResult result =
      run_seed(line.seed, {.without = without, .nodes = line.nodes, .lanes = line.lanes});
  print_result(result);
  for (const std::string& fault : result.faults) std::printf("  %s\n", fault.c_str());
  std::printf("still fails with: --without %s\n", list.empty() ? "(nothing)" : list.c_str());
  return 0;
}

int measure(const CommandLine& line) {
  const std::string json =
      line.task == CommandLine::Task::detect
          ? detections_to_json(line.probe, probe_detection(line.probe))
          : disseminations_to_json(line.probe, probe_dissemination(line.probe));
  std::FILE* const file = line.json.empty() ? stdout : std::fopen(line.json.c_str(), "w");
  if (file == nullptr) {
    std::fprintf(stderr, "starling_sim: cannot write %s\n", line.json.c_str());
    return 1;
  }
  std::fwrite(json.data(), 1, json.size(), file);
  if (file != stdout) std::fclose(file);
  return 0;
}

int run(std::span<const std::string_view> arguments) {
  const std::expected<CommandLine, std::string> line = read_command_line(arguments);
  if (!line) {
    std::fprintf(stderr, "starling_sim: %s\n", line.error().c_str());
    return 2;
  }
  std::signal(SIGABRT, on_abort);
  seed_under_way = line->seed;
  switch (line->task) {
    case CommandLine::Task::trace:
      return print_trace(*line);
    case CommandLine::Task::campaign:
      return run_campaign(*line);
    case CommandLine::Task::reduce:
      return reduce(*line);
    case CommandLine::Task::detect:
    case CommandLine::Task::disseminate:
      return measure(*line);
    case CommandLine::Task::help:
      break;
  }
  std::fputs(std::string(usage()).c_str(), stdout);
  return 0;
}

}  // namespace
}  // namespace starling::sim

int main(int count, char** texts) {
  const std::vector<std::string_view> arguments(texts + 1, texts + count);
  return starling::sim::run(arguments);
}
