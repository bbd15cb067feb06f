#include "sim/owner_checker.h"

#include <algorithm>

namespace starling::sim {

OwnerLimits OwnerLimits::of(const EngineOptions& options) {
  OwnerLimits limits;
  const std::size_t direct =
      std::max(options.serf.query_response_bytes_max, options.serf.query_bytes_max);
  limits.packet_bytes_max = std::max(options.swim.udp_buffer_bytes, direct + 64) + 7;
  limits.serf_queue_max = options.serf.queue_depth_max;
  limits.streams_max = options.capacity.streams_max;
  limits.lanes = options.lanes;
  return limits;
}

OwnerChecker::OwnerChecker(const OwnerLimits& limits, std::size_t nodes, Violations& violations)
    : limits_(limits), violations_(violations), asked_(nodes), clocks_(nodes) {}

void OwnerChecker::on_start(NodeId node) {
  asked_[index_of(node)].clear();
  clocks_[index_of(node)] = {};
}

void OwnerChecker::on_answer(Instant now, NodeId node, std::uint64_t token) {
  if (asked_[index_of(node)].erase(token) == 1) return;
  violations_.add(Rule::answer_unasked, now, node, "token " + std::to_string(token));
}

void OwnerChecker::on_stats(Instant now, NodeId node, const Stats& stats,
                            const ExpectedNumbers& expected) {
  Clocks& clocks = clocks_[index_of(node)];
  if (stats.member_time < clocks.member || stats.event_time < clocks.event ||
      stats.query_time < clocks.query) {
    violations_.add(Rule::clock_fell, now, node, "");
  }
  if (stats.incarnation < clocks.incarnation) {
    violations_.add(Rule::incarnation_fell, now, node, "its own");
  }
  clocks = {stats.member_time, stats.event_time, stats.query_time, stats.incarnation};

  const auto bound = [&](std::string_view what, std::uint64_t value, std::uint64_t limit) {
    if (value <= limit) return;
    violations_.add(
        Rule::over_bound, now, node,
        std::string(what) + " " + std::to_string(value) + " > " + std::to_string(limit));
  };
  // One statement for each node ever listed, and one refutation.
  bound("membership queue", stats.membership_queue, clocks_.size() + limits_.lanes);
  bound("intent queue", stats.intent_queue, limits_.serf_queue_max);
  bound("event queue", stats.event_queue, limits_.serf_queue_max);
  bound("query queue", stats.query_queue, limits_.serf_queue_max);
  bound("streams", stats.streams, limits_.streams_max);
  bound("nodes", stats.nodes, clocks_.size());
  bound("members", stats.members, clocks_.size());

  const auto same = [&](std::string_view what, std::uint32_t engine, std::uint32_t events) {
    if (engine == events || limits_.lanes > 1) return;
    violations_.add(Rule::numbers_disagree, now, node,
                    std::string(what) + ": " + std::to_string(engine) + ", by its events " +
                        std::to_string(events));
  };
  same("nodes", stats.nodes, expected.nodes);
  same("suspicions", stats.suspicions, expected.suspicions);
  same("members", stats.members, expected.members);
  same("members alive", stats.members_alive, expected.members_alive);
  same("members failed", stats.members_failed, expected.members_failed);
  same("members left", stats.members_left, expected.members_left);

  if (stats.counters.traces_lost != 0 || stats.counters.events_deferred != 0) {
    violations_.add(Rule::reports_lost, now, node,
                    std::to_string(stats.counters.traces_lost) + " traces, " +
                        std::to_string(stats.counters.events_deferred) + " rows");
  }
}

void OwnerChecker::on_packet(Instant now, NodeId node, std::size_t bytes) {
  if (bytes > 0 && bytes <= limits_.packet_bytes_max) return;
  violations_.add(Rule::packet_too_large, now, node, std::to_string(bytes) + " bytes");
}

void OwnerChecker::on_polls(Instant now, NodeId node, std::uint32_t polls) {
  if (polls <= limits_.polls_at_one_instant_max) return;
  violations_.add(Rule::never_idle, now, node, std::to_string(polls) + " polls at one instant");
}

}  // namespace starling::sim
