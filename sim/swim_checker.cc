#include "sim/swim_checker.h"

#include <algorithm>

namespace starling::sim {

namespace {
// Timers are armed in whole milliseconds.
constexpr Duration tick = std::chrono::milliseconds(2);

std::string number(Incarnation incarnation) {
  return std::to_string(to_number(incarnation));
}
bool gone(MemberState state) {
  return state == MemberState::dead || state == MemberState::left;
}
}  // namespace

SwimChecker::SwimChecker(const SwimLimits& limits, std::size_t nodes, Violations& violations)
    : limits_(limits),
      nodes_(nodes),
      violations_(violations),
      views_(nodes * nodes),
      late_until_(nodes),
      own_(nodes),
      told_to_leave_(nodes),
      leaving_now_(nodes) {}

void SwimChecker::on_start(NodeId node) {
  for (std::size_t i = 0; i < nodes_; ++i) {
    view(node, NodeId{static_cast<std::uint16_t>(i)}) = {};
  }
  own_[index_of(node)] = Incarnation{};
  leaving_now_[index_of(node)] = false;
  late_until_[index_of(node)] = {};
}

void SwimChecker::on_leave(NodeId node) {
  told_to_leave_[index_of(node)] = true;
  leaving_now_[index_of(node)] = true;
}

void SwimChecker::on_late(Instant now, NodeId node) {
  late_until_[index_of(node)] = now;
}

void SwimChecker::fault(Rule rule, Instant now, NodeId observer, NodeId subject, std::string text) {
  violations_.add(rule, now, observer, name_of(subject) + ": " + std::move(text));
}

void SwimChecker::on_trace(Instant now, NodeId observer, NodeId subject, const Event& event) {
  const Incarnation incarnation{static_cast<std::uint32_t>(event.number)};
  switch (event.trace) {
    case TraceKind::member_alive:
      return on_alive(now, observer, subject, incarnation);
    case TraceKind::suspect_started:
      return on_suspect(now, observer, subject, incarnation);
    case TraceKind::suspect_confirmed:
      if (view(observer, subject).state != MemberState::suspect) {
        fault(Rule::impossible_state, now, observer, subject, "confirmed but not suspect");
      }
      return;
    case TraceKind::suspect_timed_out:
      return on_timeout(now, observer, subject);
    case TraceKind::member_dead:
    case TraceKind::member_left:
      return on_gone(now, observer, subject, event);
    case TraceKind::member_reaped:
      return on_reaped(now, observer, subject);
    case TraceKind::refuted:
      return on_refuted(now, observer, incarnation);
    default:
      return;
  }
}

bool SwimChecker::rises(Instant now, NodeId observer, NodeId subject, Incarnation incarnation) {
  View& known = view(observer, subject);
  if (known.listed && incarnation < known.incarnation) {
    fault(Rule::incarnation_fell, now, observer, subject,
          number(known.incarnation) + " to " + number(incarnation));
    return false;
  }
  known.incarnation = incarnation;
  return true;
}

void SwimChecker::on_alive(Instant now, NodeId observer, NodeId subject, Incarnation incarnation) {
  View& known = view(observer, subject);
  if (known.listed && gone(known.state) && incarnation <= known.incarnation) {
    fault(Rule::resurrection, now, observer, subject,
          "gone at " + number(known.incarnation) + ", alive at " + number(incarnation));
  }
  if (known.listed && known.state == MemberState::alive) {
    fault(Rule::impossible_state, now, observer, subject, "alive became alive");
  }
  rises(now, observer, subject, incarnation);
  known.listed = true;
  known.state = MemberState::alive;
  known.changed = now;
}

void SwimChecker::on_suspect(Instant now, NodeId observer, NodeId subject,
                             Incarnation incarnation) {
  View& known = view(observer, subject);
  if (observer == subject) {
    fault(Rule::self_not_alive, now, observer, subject, "suspects itself");
  }
  if (!known.listed || known.state != MemberState::alive) {
    fault(Rule::impossible_state, now, observer, subject, "suspect but was not alive");
  }
  rises(now, observer, subject, incarnation);
  known.listed = true;
  known.state = MemberState::suspect;
  known.changed = now;
}

void SwimChecker::on_timeout(Instant now, NodeId observer, NodeId subject) {
  View& known = view(observer, subject);
  if (known.state != MemberState::suspect) {
    fault(Rule::impossible_state, now, observer, subject, "suspicion ran out but is not suspect");
  }
  const Duration lasted = now - known.changed;
  const auto text = [&] {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(lasted).count()) +
           " ms";
  };
  if (lasted + tick < limits_.suspicion_min) {
    fault(Rule::suspicion_too_short, now, observer, subject, text());
  }
  const bool late = late_until_[index_of(observer)] > known.changed;
  if (lasted > limits_.suspicion_max + tick && !late) {
    fault(Rule::suspicion_too_long, now, observer, subject, text());
  }
  known.timed_out = true;
  known.timed_out_at = now;
}

void SwimChecker::on_gone(Instant now, NodeId observer, NodeId subject, const Event& event) {
  View& known = view(observer, subject);
  const Incarnation incarnation{static_cast<std::uint32_t>(event.number)};
  const bool left = event.trace == TraceKind::member_left;
  if (!known.listed || gone(known.state)) {
    fault(Rule::impossible_state, now, observer, subject, "gone but was not there");
  }
  if (observer == subject && !(left && leaving_now_[index_of(observer)])) {
    fault(Rule::self_not_alive, now, observer, subject, "believes itself dead or left");
  }
  if (left && !told_to_leave_[index_of(subject)]) {
    fault(Rule::left_without_leaving, now, observer, subject, "nobody told it to leave");
  }
  rises(now, observer, subject, incarnation);
  if (!left) {
    const std::tuple death(std::string(event.from), subject, incarnation);
    // Its own earlier word may also come back to it.
    if (event.from == name_of(observer) && !declared_.contains(death)) {
      if (!known.timed_out || known.timed_out_at != now) {
        fault(Rule::dead_without_suspicion, now, observer, subject, "no suspicion ran out here");
      }
      declared_.insert(death);
    } else if (!declared_.contains(death)) {
      fault(Rule::dead_without_accuser, now, observer, subject,
            std::string(event.from) + " never declared it dead at " + number(incarnation));
    }
  }
  known.timed_out = false;
  known.state = left ? MemberState::left : MemberState::dead;
  known.changed = now;
}

void SwimChecker::on_reaped(Instant now, NodeId observer, NodeId subject) {
  View& known = view(observer, subject);
  if (!known.listed || !gone(known.state)) {
    fault(Rule::impossible_state, now, observer, subject, "reaped but not gone");
  } else if (now - known.changed < limits_.reap_after) {
    fault(Rule::reaped_too_early, now, observer, subject, "");
  }
  known = {};
}

void SwimChecker::on_refuted(Instant now, NodeId observer, Incarnation incarnation) {
  Incarnation& own = own_[index_of(observer)];
  if (incarnation <= own) {
    fault(Rule::refutation_fell, now, observer, observer,
          number(own) + " then " + number(incarnation));
  }
  own = incarnation;
}

std::uint32_t SwimChecker::listed(NodeId observer) const {
  const auto first = views_.begin() + static_cast<std::ptrdiff_t>(index_of(observer) * nodes_);
  return static_cast<std::uint32_t>(std::count_if(
      first, first + static_cast<std::ptrdiff_t>(nodes_), [](const View& v) { return v.listed; }));
}

std::uint32_t SwimChecker::suspects(NodeId observer) const {
  const auto first = views_.begin() + static_cast<std::ptrdiff_t>(index_of(observer) * nodes_);
  return static_cast<std::uint32_t>(
      std::count_if(first, first + static_cast<std::ptrdiff_t>(nodes_),
                    [](const View& v) { return v.listed && v.state == MemberState::suspect; }));
}

}  // namespace starling::sim
