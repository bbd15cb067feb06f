#include "sim/checkers.h"

#include <charconv>

#include "sim/bounds.h"

namespace starling::sim {

namespace {

SwimLimits limits_of(const SwimOptions& swim, std::size_t nodes) {
  return {.suspicion_min = suspicion_min(swim),
          .suspicion_max = suspicion_max(swim, nodes),
          .reap_after = swim.gossip_to_the_dead_time};
}

std::optional<NodeId> node_named(std::string_view name, std::size_t nodes) {
  if (name.size() < 4 || name[0] != 'n') return std::nullopt;
  std::uint16_t number = 0;
  const char* const end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + 1, end, number);
  if (error != std::errc{} || stop != end || number >= nodes) return std::nullopt;
  const NodeId node{number};
  return name == name_of(node) ? std::optional(node) : std::nullopt;
}

// Traces that speak of a member's swim state by name.
bool about_a_member(TraceKind kind) {
  switch (kind) {
    case TraceKind::suspect_started:
    case TraceKind::suspect_confirmed:
    case TraceKind::suspect_timed_out:
    case TraceKind::refuted:
    case TraceKind::member_alive:
    case TraceKind::member_dead:
    case TraceKind::member_left:
    case TraceKind::member_reaped:
      return true;
    default:
      return false;
  }
}

}  // namespace

Checkers::Checkers(const EngineOptions& options, std::size_t nodes, Report& report)
    : nodes_(nodes),
      report_(report),
      swim_(limits_of(options.swim, nodes), nodes, violations_),
      serf_(nodes, violations_),
      owner_(OwnerLimits::of(options), nodes, violations_),
      queries_(nodes, violations_) {}

void Checkers::on_start(NodeId node, std::string_view meta) {
  swim_.on_start(node);
  serf_.on_start(node, meta);
  owner_.on_start(node);
  queries_.on_start(node);
}

void Checkers::on_leave(NodeId node) {
  swim_.on_leave(node);
  serf_.on_leave(node);
}

std::optional<NodeId> Checkers::subject_of(Instant now, NodeId observer, const Event& event) {
  const std::optional<NodeId> subject = node_named(event.name, nodes_);
  if (!subject) violations_.add(Rule::unknown_name, now, observer, std::string(event.name));
  return subject;
}

void Checkers::on_event(Instant now, NodeId observer, const Event& event) {
  report_.add(Count::checks);
  count(event);
  switch (event.kind) {
    case Event::Kind::member:
      if (const auto subject = subject_of(now, observer, event)) {
        serf_.on_member(now, observer, *subject, event);
      }
      return;
    case Event::Kind::user:
      return serf_.on_user_event(now, observer, event);
    case Event::Kind::done:
      queries_.on_command_done(now, observer, event);
      return owner_.on_answer(now, observer, event.token);
    case Event::Kind::stats:
      owner_.on_answer(now, observer, event.token);
      return owner_.on_stats(now, observer, event.stats,
                             {.nodes = swim_.listed(observer),
                              .suspicions = swim_.suspects(observer),
                              .members = serf_.rows(observer),
                              .members_alive = serf_.rows(observer, MemberStatus::alive) +
                                               serf_.rows(observer, MemberStatus::leaving),
                              .members_failed = serf_.rows(observer, MemberStatus::failed),
                              .members_left = serf_.rows(observer, MemberStatus::left)});
    case Event::Kind::query:
      return queries_.on_query(now, observer, event);
    case Event::Kind::query_ack:
      return queries_.on_ack(now, observer, node_named(event.from, nodes_), event);
    case Event::Kind::query_response:
      return queries_.on_response(now, observer, node_named(event.from, nodes_), event);
    case Event::Kind::query_done:
      return queries_.on_done(now, observer, event);
    case Event::Kind::conflict:
      return;
    case Event::Kind::trace:
      return on_trace(now, observer, event);
  }
}

void Checkers::on_trace(Instant now, NodeId observer, const Event& event) {
  if (!about_a_member(event.trace)) return;
  const std::optional<NodeId> subject = subject_of(now, observer, event);
  if (!subject) return;
  if (!event.from.empty() && !node_named(event.from, nodes_)) {
    violations_.add(Rule::unknown_name, now, observer, std::string(event.from));
  }
  swim_.on_trace(now, observer, *subject, event);
}

void Checkers::count(const Event& event) {
  if (event.kind == Event::Kind::user) report_.add(Count::user_events);
  if (event.kind == Event::Kind::query) report_.add(Count::queries_heard);
  if (event.kind == Event::Kind::query_ack) report_.add(Count::query_acks);
  if (event.kind == Event::Kind::query_response) report_.add(Count::query_responses);
  if (event.kind == Event::Kind::done &&
      (event.result == CommandResult::already_answered || event.result == CommandResult::too_late ||
       event.result == CommandResult::too_large)) {
    report_.add(Count::answers_refused);
  }
  if (event.kind == Event::Kind::member && event.change) {
    switch (*event.change) {
      case MemberEventKind::join:
        return report_.add(Count::member_joins);
      case MemberEventKind::leave:
        return report_.add(Count::member_leaves);
      case MemberEventKind::failed:
        return report_.add(Count::member_failures);
      case MemberEventKind::update:
        return report_.add(Count::member_updates);
      case MemberEventKind::reap:
        return report_.add(Count::member_reaps);
    }
  }
  if (event.kind != Event::Kind::trace) return;
  switch (event.trace) {
    case TraceKind::probe_failed:
      return report_.add(Count::probes_failed);
    case TraceKind::probe_indirect:
      return report_.add(Count::indirect_probes);
    case TraceKind::probe_stream_acked:
      return report_.add(Count::stream_pings_acked);
    case TraceKind::suspect_started:
      return report_.add(Count::suspicions);
    case TraceKind::suspect_confirmed:
      return report_.add(Count::confirmations);
    case TraceKind::suspect_timed_out:
      return report_.add(Count::suspicions_timed_out);
    case TraceKind::refuted:
      return report_.add(Count::refutations);
    case TraceKind::member_dead:
      return report_.add(Count::deaths);
    case TraceKind::member_reaped:
      return report_.add(Count::reaps);
    case TraceKind::push_pull_sent:
      return report_.add(Count::push_pulls);
    case TraceKind::answer_relayed:
      return report_.add(Count::answers_relayed);
    case TraceKind::reconnect:
      return report_.add(Count::reconnects);
    case TraceKind::health_changed:
      return report_.add(Count::health_changes);
    default:
      return;
  }
}

}  // namespace starling::sim
