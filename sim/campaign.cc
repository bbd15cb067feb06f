#include "sim/campaign.h"

#include <algorithm>

#include "sim/bounds.h"
#include "sim/convergence.h"

namespace starling::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Profile draw_profile(Random& random) {
  const std::uint64_t draw = random.below(10);
  return draw < 6 ? Profile::lan : draw < 9 ? Profile::local : Profile::wan;
}

LatencyModel draw_latency(Random& random) {
  switch (random.below(3)) {
    case 0:
      return {};
    case 1:
      return {.floor_min = milliseconds(1),
              .floor_max = milliseconds(20),
              .jitter_max = milliseconds(5)};
    default:
      return {.floor_min = milliseconds(10),
              .floor_max = milliseconds(60),
              .jitter_max = milliseconds(30)};
  }
}

std::string describe(const WorldOptions& options) {
  const SwimOptions& swim = options.swim;
  std::string text = std::to_string(options.nodes) + " nodes, ";
  text += swim.probe_interval == seconds(5)   ? "wan"
          : swim.stream_timeout == seconds(1) ? "local"
                                              : "lan";
  if (options.encrypted) text += ", encrypted";
  if (options.compress) text += ", compressed";
  if (!options.label.empty()) text += ", labelled";
  return text;
}

// The phases of one run, in order. Each says what it expects and for how long.
class Run {
 public:
  Run(std::uint64_t seed, const RunOptions& options, TraceSink sink)
      : random_(Random(seed).fork("campaign")),
        options_(options),
        world_(draw_world(seed, options), std::move(sink)),
        questions_(world_, Random(seed).fork("answers")) {
    result_.seed = seed;
    result_.cluster = describe(world_.options());
  }

  RunResult go() {
    world_.trace().note(world_.now(), result_.cluster);
    boot();
    chaos();
    events_arrive();
    somebody_asks();
    somebody_leaves();
    somebody_crashes();
    everything_answered();
    return finish();
  }

 private:
  std::size_t nodes() const { return world_.options().nodes; }
  const SwimOptions& swim() const { return world_.options().swim; }
  NodeId draw_node() { return NodeId{static_cast<std::uint16_t>(random_.below(nodes()))}; }

  void fail(Rule rule, std::string text) {
    world_.trace().note(world_.now(), "VIOLATION " + std::string(to_text(rule)) + ": " + text);
    world_.checkers().violations().add(rule, world_.now(), NodeId{0}, std::move(text));
  }

  // Runs until `holds`, looked at whenever a view may have changed; false after `bound`.
  bool wait(Duration bound, const std::function<bool()>& holds) {
    std::uint64_t seen = ~std::uint64_t{0};
    return world_.run_until(world_.now() + bound, [&] {
      if (world_.views_changed() == seen) return false;
      seen = world_.views_changed();
      return holds();
    });
  }

  void boot() {
    for (const NodeId node : world_.all_nodes()) {
      const Duration later = random_.between(Duration::zero(), Duration(seconds(2)));
      world_.at_instant(world_.now() + later, [this, node] { world_.start(node); });
    }
    const bool settle_first = random_.chance(0.7);
    if (!settle_first) return;
    const Duration bound = seconds(2) + 2 * swim().stream_timeout + delivery(swim(), nodes());
    world_.run_until(world_.now() + seconds(2));
    if (!wait(bound, [&] { return settled(world_); })) {
      fail(Rule::not_converged,
           "after boot: " + disagreement(world_).value_or("somebody is still suspected"));
    }
  }

  void chaos() {
    const Duration length = random_.between(Duration(seconds(20)), Duration(seconds(120)));
    FaultPlan plan =
        draw_plan(Random(result_.seed).fork("plan"), nodes(), length, options_.without);
    for (const Fault& fault : plan.faults) result_.faults.push_back(to_text(fault));
    Chaos chaos(world_, questions_, std::move(plan));
    world_.run_until(world_.now() + length + milliseconds(1));
    chaos.calm();
    const Instant calm = world_.now();
    result_.convergence_bound = convergence(swim(), world_.options().serf, nodes());
    if (!wait(result_.convergence_bound, [&] { return settled(world_); })) {
      fail(Rule::not_converged,
           "after the calm: " + disagreement(world_).value_or("somebody is still suspected"));
    }
    result_.converged_after = world_.now() - calm;
    old_views_end();
    chaos_events_arrive(chaos);
  }

  // A state that was under way when all agreed may be older than that. Where gossip has missed the
  // join intent of a member that left and came back, such a state shows it as leaving once more.
  void old_views_end() {
    world_.run_until(world_.now() + 2 * swim().stream_timeout);
    if (!wait(stayers(world_.options().serf), [&] { return settled(world_); })) {
      fail(Rule::not_converged,
           "long after the calm: " + disagreement(world_).value_or("somebody is still suspected"));
    }
  }

  // What was sent in the chaos by a process that still runs has reached every process that ran then
  // and still does.
  void chaos_events_arrive(const Chaos& chaos) {
    if (chaos.sent_events().empty()) return;
    world_.run_until(world_.now() + delivery(swim(), nodes()));
    for (const SentEvent& event : chaos.sent_events()) {
      if (world_.life(event.sender) != event.lives[index_of(event.sender)]) continue;
      for (const NodeId node : world_.all_nodes()) {
        if (world_.life(node) != event.lives[index_of(node)]) continue;
        if (world_.checkers().serf().deliveries(node, event.name) == 1) continue;
        fail(Rule::event_lost,
             name_of(node) + " never got " + event.name + " of " + name_of(event.sender));
      }
    }
  }

  void events_arrive() {
    for (int i = 0; i < 3; ++i) {
      world_.send_user_event(draw_node(), "quiet-" + std::to_string(i), std::string(100, 'p'));
    }
    const auto all_have_them = [&] {
      for (const NodeId node : world_.all_nodes()) {
        for (int i = 0; i < 3; ++i) {
          const std::string name = "quiet-" + std::to_string(i);
          if (world_.checkers().serf().deliveries(node, name) != 1) return false;
        }
      }
      return true;
    };
    if (!world_.run_until(world_.now() + delivery(swim(), nodes()), all_have_them)) {
      fail(Rule::event_lost, "in the quiet");
    }
  }

  // Gossip alone carries queries, nothing repairs what it misses; but whoever hears one is heard.
  void somebody_asks() {
    const LatencyModel& latency = world_.options().latency;
    const Duration one_way = latency.floor_max + latency.jitter_max;
    const std::string name = "quiet-query";
    const NodeId asker = draw_node();
    const auto relays = static_cast<std::uint8_t>(random_.below(3));
    if (!questions_.ask(asker, {.name = name,
                                .payload = std::string(100, 'q'),
                                .nodes = {},
                                .tagged = {},
                                .timeout = {},
                                .want_acks = true,
                                .relay_factor = relays})) {
      return fail(Rule::over_bound, "no room for a query command");
    }
    world_.report().add(Count::queries_asked);
    QueryChecker& queries = world_.checkers().queries();
    if (!world_.run_until(world_.now() + delivery(swim(), nodes()),
                          [&] { return queries.is_over(name); })) {
      fail(Rule::query_end, "in the quiet: never");
    }
    world_.report().add(Count::quiet_hearers_meant, nodes());
    world_.report().add(Count::quiet_hearers, queries.heard_by(name));
    if (queries.heard_by(name) < 2) fail(Rule::query_lost, "by all but the one who asked");
    queries.expect_answers(world_.now(), name, one_way);
  }

  void somebody_leaves() {
    const NodeId node = draw_node();
    if (!world_.leave(node)) return fail(Rule::over_bound, "no room for a leave command");
    const Duration bound = 2 * world_.options().serf.broadcast_timeout +
                           world_.options().serf.leave_propagate_delay + delivery(swim(), nodes());
    // Who missed the intent learns of the leave by push/pull, unless the others have forgotten the
    // member before: then it stays failed there, in Serf as here.
    const bool forgotten_early = world_.options().serf.tombstone_timeout < bound;
    const auto seen = [&] {
      return forgotten_early ? all_gone(world_, node) : all_show(world_, node, MemberStatus::left);
    };
    if (!wait(bound, seen)) {
      fail(Rule::not_converged, name_of(node) + " left, but not all say so");
    }
    world_.stop(node, false);
    left_ = node;
  }

  void somebody_crashes() {
    NodeId node = draw_node();
    if (node == left_) node = NodeId{static_cast<std::uint16_t>((index_of(node) + 1) % nodes())};
    world_.report().add(Count::crashes);
    world_.stop(node, random_.chance(0.5));
    if (!wait(detection(swim(), nodes()),
              [&] { return all_show(world_, node, MemberStatus::failed); })) {
      fail(Rule::not_converged, name_of(node) + " crashed, but not all say so");
    }
    if (const std::optional<std::string> text = disagreement(world_)) {
      fail(Rule::not_converged, "after a crash in the quiet: " + *text);
    }
  }

  void everything_answered() {
    world_.run_until(world_.now() + 2 * swim().stream_timeout + seconds(10));
    for (const NodeId node : world_.all_nodes()) {
      if (!world_.running(node)) continue;
      if (world_.checkers().queries().unfinished(world_.now(), node, seconds(10)) > 0) {
        fail(Rule::query_end, name_of(node) + " still waits for answers");
      }
      // The newest question about numbers may still be on its way.
      if (world_.checkers().owner().unanswered(node) <= 1) continue;
      fail(Rule::answer_missing,
           name_of(node) + ": " + std::to_string(world_.checkers().owner().unanswered(node)));
    }
  }

  RunResult finish() {
    const Violations& violations = world_.checkers().violations();
    result_.violations = violations.count();
    result_.kept = violations.kept();
    result_.report = world_.report();
    result_.hash = world_.trace().hash();
    result_.lasted = world_.now() - world_.start_of_time();
    return std::move(result_);
  }

  Random random_;
  RunOptions options_;
  RunResult result_;
  World world_;
  Questions questions_;
  NodeId left_{};
};

}  // namespace

WorldOptions draw_world(std::uint64_t seed, const RunOptions& options) {
  Random random = Random(seed).fork("world");
  WorldOptions world;
  world.seed = seed;
  world.nodes = random.between(3, 16);
  world.swim = SwimOptions::of(draw_profile(random));
  world.latency = draw_latency(random);
  world.encrypted = random.chance(0.4);
  world.compress = random.chance(0.7);
  world.label = random.chance(0.3) ? "cluster-a" : "";
  if (options.nodes) world.nodes = *options.nodes;
  world.lanes = options.lanes;
  // Members that left are forgotten soon in half of the runs, so that Serf's reaper has work.
  if (random.chance(0.5)) world.serf.tombstone_timeout = seconds(30);
  return world;
}

RunResult run_seed(std::uint64_t seed, const RunOptions& options, TraceSink sink) {
  return Run(seed, options, std::move(sink)).go();
}

}  // namespace starling::sim
