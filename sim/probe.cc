#include "sim/probe.h"

#include <algorithm>
#include <cstdio>

#include "sim/bounds.h"
#include "sim/convergence.h"

namespace starling::sim {

namespace {

using std::chrono::seconds;

std::string_view word(Profile profile) {
  return profile == Profile::lan ? "lan" : profile == Profile::wan ? "wan" : "local";
}

WorldOptions options_of(const ProbeOptions& options, std::uint64_t seed) {
  WorldOptions world;
  world.seed = seed;
  world.nodes = options.nodes;
  world.lanes = options.lanes;
  world.swim = SwimOptions::of(options.profile);
  // Loopback: what the real clusters beside it run on.
  world.latency = {.floor_min = std::chrono::microseconds(30),
                   .floor_max = std::chrono::microseconds(60),
                   .jitter_max = std::chrono::microseconds(200)};
  world.contacts = 1;
  world.stats_interval = Duration::zero();
  return world;
}

// Starts everybody and runs until all agree; then on to any phase of everybody's timers.
void settle(World& world, Random& random) {
  for (const NodeId node : world.all_nodes()) {
    const Duration later = random.between(Duration::zero(), Duration(seconds(1)));
    world.at_instant(world.now() + later, [&world, node] { world.start(node); });
  }
  world.run_until(world.now() + seconds(1));
  const Duration bound = delivery(world.options().swim, world.options().nodes);
  const bool settled =
      world.run_until(world.now() + bound, [&, seen = ~std::uint64_t{0}]() mutable {
        if (world.views_changed() == seen) return false;
        seen = world.views_changed();
        return !disagreement(world).has_value();
      });
  CHECK(settled);
  world.run_until(world.now() + random.between(Duration(seconds(5)), Duration(seconds(15))));
}

// Watches `subjects` after `cause` has struck each; `noticed` recognises the event that says so.
std::vector<ProbeSample> watch(World& world, const std::vector<NodeId>& subjects,
                               const std::function<void(NodeId)>& cause,
                               const std::function<bool(const Event&)>& noticed) {
  std::vector<ProbeSample> samples;
  std::vector<bool> is_subject(world.options().nodes);
  for (const NodeId subject : subjects) {
    samples.push_back({.subject = name_of(subject),
                       .observers = world.options().nodes - subjects.size(),
                       .milliseconds = {}});
    is_subject[index_of(subject)] = true;
  }
  std::vector<std::vector<bool>> seen(subjects.size(), is_subject);
  const Instant begin = world.now();
  std::size_t open = subjects.size() * (world.options().nodes - subjects.size());
  world.set_event_hook([&](Instant now, NodeId node, const Event& event) {
    if (!noticed(event)) return;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (seen[i][index_of(node)] || event.name != samples[i].subject) continue;
      seen[i][index_of(node)] = true;
      samples[i].milliseconds.push_back(
          std::chrono::duration<double, std::milli>(now - begin).count());
      --open;
    }
  });
  for (const NodeId subject : subjects) cause(subject);
  world.run_until(begin + detection(world.options().swim, world.options().nodes),
                  [&] { return open == 0; });
  world.set_event_hook({});
  CHECK(world.checkers().violations().count() == 0);
  return samples;
}

std::vector<NodeId> draw_subjects(Random& random, const World& world, std::size_t count) {
  std::vector<NodeId> nodes = world.all_nodes();
  random.shuffle(std::span(nodes));
  nodes.resize(std::min(count, nodes.size() - 1));
  return nodes;
}

std::string numbers(const std::vector<double>& values) {
  std::string text = "[";
  for (const double value : values) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%s%.3f", text.size() == 1 ? "" : ", ", value);
    text += digits;
  }
  return text + "]";
}

struct Words {
  std::string_view list, subject, observers, times;
};

std::string to_json(const ProbeOptions& options, const std::vector<ProbeSample>& samples,
                    const Words& words) {
  std::string json =
      "{\"implementation\": \"starling, simulated\", \"nodes\": " + std::to_string(options.nodes) +
      ", \"profile\": \"" + std::string(word(options.profile)) +
      "\", \"victims_at_once\": " + std::to_string(options.victims) + ", \"" +
      std::string(words.list) + "\": [";
  const auto key = [](std::string_view name) { return "\"" + std::string(name) + "\": "; };
  for (const ProbeSample& sample : samples) {
    const std::vector<double>& times = sample.milliseconds;
    const bool all = times.size() == sample.observers && !times.empty();
    char first_and_all[64];
    std::snprintf(first_and_all, sizeof first_and_all, "\"first_ms\": %.3f, \"all_ms\": %.3f",
                  times.empty() ? -1.0 : times.front(), all ? times.back() : -1.0);
    json += &sample == samples.data() ? "\n  {" : ",\n  {";
    json += key(words.subject) + "\"" + sample.subject + "\", " + key(words.observers) +
            std::to_string(sample.observers) + ", " + first_and_all + ", " + key(words.times) +
            numbers(times) + "}";
  }
  return json + "\n]}\n";
}

}  // namespace

std::vector<ProbeSample> probe_detection(const ProbeOptions& options) {
  std::vector<ProbeSample> samples;
  for (std::size_t i = 0; i < options.repeats; ++i) {
    const std::uint64_t seed = options.first_seed + i;
    Random random = Random(seed).fork("probe");
    World world(options_of(options, seed));
    settle(world, random);
    const auto each = watch(
        world, draw_subjects(random, world, options.victims),
        [&](NodeId node) { world.stop(node, false); },
        [](const Event& event) {
          return event.kind == Event::Kind::trace && event.trace == TraceKind::member_dead;
        });
    samples.insert(samples.end(), each.begin(), each.end());
  }
  return samples;
}

std::vector<ProbeSample> probe_dissemination(const ProbeOptions& options) {
  std::vector<ProbeSample> samples;
  for (std::size_t i = 0; i < options.repeats; ++i) {
    const std::uint64_t seed = options.first_seed + i;
    Random random = Random(seed).fork("probe");
    World world(options_of(options, seed));
    settle(world, random);
    const auto each = watch(
        world, draw_subjects(random, world, 1), [&](NodeId node) { world.set_meta(node); },
        [](const Event& event) {
          return event.kind == Event::Kind::member && event.change == MemberEventKind::update;
        });
    samples.insert(samples.end(), each.begin(), each.end());
  }
  return samples;
}

std::string detections_to_json(const ProbeOptions& options,
                               const std::vector<ProbeSample>& samples) {
  return to_json(options, samples,
                 {.list = "detections",
                  .subject = "victim",
                  .observers = "survivors",
                  .times = "observers_ms"});
}

std::string disseminations_to_json(const ProbeOptions& options,
                                   const std::vector<ProbeSample>& samples) {
  return to_json(
      options, samples,
      {.list = "disseminations", .subject = "origin", .observers = "others", .times = "times_ms"});
}

}  // namespace starling::sim
