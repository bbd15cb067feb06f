#include "agent/swarm/report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/durations.h"
#include "agent/swarm/figures.h"

namespace starling::agent::swarm {
namespace {

using Json = nlohmann::ordered_json;

// Enough for a smooth curve.
constexpr std::size_t curve_points_max = 200;

std::string_view name_of(Profile profile) {
  switch (profile) {
    case Profile::lan:
      return "lan";
    case Profile::wan:
      return "wan";
    case Profile::local:
      return "local";
  }
  return "";
}

Json times_json(const Histogram& times) {
  Json curve = Json::array();
  for (const Histogram::Point& point : times.distribution(curve_points_max)) {
    curve.push_back({in_seconds(point.value), point.share});
  }
  return {{"count", times.count()},
          {"min_s", in_seconds(times.min())},
          {"mean_s", in_seconds(times.mean())},
          {"p50_s", in_seconds(times.percentile(0.5))},
          {"p90_s", in_seconds(times.percentile(0.9))},
          {"p99_s", in_seconds(times.percentile(0.99))},
          {"p999_s", in_seconds(times.percentile(0.999))},
          {"max_s", in_seconds(times.max())},
          {"distribution", std::move(curve)}};
}

Json options_json(const SwarmPlan& plan) {
  const SwarmOptions& options = plan.options;
  const SwimOptions& swim = plan.swim;
  return {{"members", options.members},
          {"engines", options.engines},
          {"threads", plan.threads},
          {"port", plan.port_name},
          {"profile", name_of(options.profile)},
          {"encrypt", options.encrypt},
          {"compress", options.compress},
          {"seed", options.seed},
          {"probe_interval_s", in_seconds(swim.probe_interval)},
          {"probe_interval_why", plan.period.why},
          {"probe_timeout_s", in_seconds(swim.probe_timeout)},
          {"gossip_interval_s", in_seconds(swim.gossip_interval)},
          {"push_pull_interval_s", in_seconds(swim.push_pull_interval)},
          {"retransmit_mult", swim.retransmit_mult},
          {"suspicion_mult", swim.suspicion_mult},
          {"suspicion_max_timeout_mult", swim.suspicion_max_timeout_mult},
          {"reconnect_interval_s", in_seconds(plan.serf.reconnect_interval)}};
}

Json bounds_json(const Bounds& bounds) {
  return {{"sweep_s", in_seconds(bounds.sweep)},
          {"suspicion_s", in_seconds(bounds.suspicion)},
          {"gossip_s", in_seconds(bounds.gossip)},
          {"exchange_s", in_seconds(bounds.exchange)}};
}

Json build_up_json(const BuildUp& build_up) {
  return {{"converged", build_up.converged},
          {"populated_s", in_seconds(build_up.populated)},
          {"joined_s", in_seconds(build_up.joined)},
          {"converged_s", in_seconds(build_up.took)},
          {"bound_s", in_seconds(build_up.bound)},
          {"exchanges", build_up.exchanges},
          {"exchanges_failed", build_up.exchanges_failed},
          {"resident_bytes", build_up.bytes_resident},
          {"problem", build_up.problem}};
}

Json act_json(const ActResult& act) {
  Json json = {{"act", act.act.text},
               {"kind", to_text(act.act.kind)},
               {"subjects", act.subjects},
               {"passed", act.passed},
               {"verdict", act.verdict},
               {"expected", act.expected},
               {"began_s", in_seconds(act.began)},
               {"took_s", in_seconds(act.took)},
               {"bound_s", in_seconds(act.bound)},
               {"failures", act.failures},
               {"false_failures", act.false_failures},
               {"suspicions", act.suspicions},
               {"refutations", act.refutations},
               {"views_most", act.views_most}};
  if (act.act.kind == ActKind::kill_engine) json["engine"] = act.engine;
  if (act.times.happened == 0) return json;
  json["happened"] = act.times.happened;
  json["reported_by_all"] = act.times.reported_by_all;
  json["reported_by_none"] = act.times.reported_by_none;
  json["first_suspicion"] = times_json(act.times.suspicion);
  json["first_report"] = times_json(act.times.detection);
  json["dissemination"] = times_json(act.times.spread);
  json["last_report"] = times_json(act.times.last);
  return json;
}

Json timeline_json(const Timeline& timeline) {
  Json json = Json::array();
  for (const Sample& sample : timeline.samples()) {
    json.push_back({{"t_s", in_seconds(sample.at)},
                    {"known_min", sample.known_min},
                    {"known_mean", sample.known_mean},
                    {"known_max", sample.known_max},
                    {"packets_per_s", sample.packets},
                    {"bytes_per_s", sample.bytes},
                    {"probes_per_s", sample.probes},
                    {"cores", sample.processors},
                    {"queued", sample.queued},
                    {"suspicions", sample.suspicions},
                    {"failures", sample.failures},
                    {"false_failures", sample.false_failures},
                    {"refutations", sample.refutations},
                    {"packets_lost", sample.packets_lost},
                    {"resident_bytes", sample.resident_bytes}});
  }
  return json;
}

Json counters_json(const std::vector<Snapshot>& engines) {
  std::array<std::uint64_t, counter_count> sums{};
  for (const Snapshot& engine : engines) {
    std::size_t at = 0;
#define COUNTER(name, help) sums[at++] += engine.stats.counters.name;
#include "core/shard/counters.def"
#undef COUNTER
  }
  Json json = Json::object();
  for (std::size_t i = 0; i < counter_count; ++i)
    json[std::string(counter_texts[i].name)] = sums[i];
  return json;
}

std::string act_lines(const ActResult& act, bool coloured) {
  const std::string mark =
      coloured ? (act.passed ? "\x1b[32m✓\x1b[0m" : "\x1b[31m✗\x1b[0m") : (act.passed ? "✓" : "✗");
  std::string text = fmt::format("  {} {}  {}\n", mark, fitted(act.act.text, 18), act.verdict);
  const auto line = [&](std::string_view name, const Histogram& times) {
    if (times.count() == 0) return;
    text += fmt::format("      {:<32}{:>10}{:>10}{:>10}\n", name, time_text(times.percentile(0.5)),
                        time_text(times.percentile(0.99)), time_text(times.max()));
  };
  line("to the first suspicion", act.times.suspicion);
  line("to the first report", act.times.detection);
  line("from there to each other engine", act.times.spread);
  line("to the last engine's report", act.times.last);
  text += fmt::format("      allowed {}: {}\n", time_text(act.bound), act.expected);
  return text;
}

}  // namespace

bool RunResult::passed() const {
  if (interrupted || !build_up.converged) return false;
  for (const ActResult& act : acts) {
    if (!act.passed) return false;
  }
  return timeline.newest().false_failures == 0 && agreement.agreed();
}

std::string summary(const SwarmPlan& plan, const RunResult& result, bool coloured) {
  const SwarmOptions& options = plan.options;
  const double rows = static_cast<double>(options.members) * options.engines;
  const BuildUp& build_up = result.build_up;
  std::string text = fmt::format(
      "\n{} members, each in the tables of {} engines, on {} threads; {}; probe interval {}\n\n",
      grouped(options.members), options.engines, plan.threads, plan.port_name,
      format_duration(plan.period.period));
  if (build_up.converged) {
    text += fmt::format("  converged        after {}: {} exchanges, {} failed\n",
                        time_text(build_up.took), build_up.exchanges, build_up.exchanges_failed);
  } else {
    text += fmt::format("  NOT CONVERGED    {}\n", build_up.problem);
  }
  const double resident = static_cast<double>(build_up.bytes_resident);
  text += fmt::format("  memory           {}, {:.0f} bytes for each member in each table\n",
                      bytes_text(resident), resident / rows);
  text += fmt::format("  false positives  {}\n", result.timeline.newest().false_failures);
  if (!result.acts.empty())
    text += fmt::format("\n{:38}{:>10}{:>10}{:>10}\n", "", "p50", "p99", "max");
  for (const ActResult& act : result.acts) text += act_lines(act, coloured);
  text += "\n";
  if (result.interrupted) return text + "interrupted\n";
  text += result.passed() ? "passed" : "FAILED";
  return text + fmt::format(": {} of {} acts as the protocol promises, {} engines, {}\n",
                            std::ranges::count(result.acts, true, &ActResult::passed),
                            options.acts.size(), result.agreement.engines,
                            result.agreement.agreed() ? "all agree" : "which do not agree");
}

Json report_json(const SwarmPlan& plan, const RunResult& result) {
  Json acts = Json::array();
  for (const ActResult& act : result.acts) acts.push_back(act_json(act));
  const Agreement& agreement = result.agreement;
  return {{"schema", report_schema},
          {"passed", result.passed()},
          {"interrupted", result.interrupted},
          {"took_s", in_seconds(result.took)},
          {"options", options_json(plan)},
          {"bounds", bounds_json(plan.bounds)},
          {"build_up", build_up_json(result.build_up)},
          {"acts", std::move(acts)},
          {"agreement",
           {{"engines", agreement.engines},
            {"views", agreement.views},
            {"alive", agreement.alive},
            {"failed", agreement.failed},
            {"left", agreement.left}}},
          {"counters", counters_json(result.engines)},
          {"timeline", timeline_json(result.timeline)}};
}

}  // namespace starling::agent::swarm
