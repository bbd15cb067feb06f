// Holds what nodes say about the swim state of members against the rules of SWIM and Lifeguard.
//
// protocol/memberlist sections 10, 11.1 and 13. Fed with the trace events of every node, it keeps
// for each observer a model of each member (state, incarnation, when suspected), and for the whole
// run who declared whom dead and who was told to leave. Owned by the Checkers; one thread.
#pragma once

#include <set>
#include <tuple>
#include <vector>

#include "core/shard/events.h"
#include "sim/violation.h"

namespace starling::sim {

struct SwimLimits {
  Duration suspicion_min{};
  Duration suspicion_max{};
  Duration reap_after{};
};

class SwimChecker {
 public:
  SwimChecker(const SwimLimits& limits, std::size_t nodes, Violations& violations);

  // What the world did.
  void on_start(NodeId node);  // a new process: its knowledge and incarnation start over
  void on_leave(NodeId node);  // told to leave, at any time before
  void on_late(Instant now, NodeId node);  // it was paused until now: its timers fire late

  // What `observer` says. `subject` is the node that event.name names.
  void on_trace(Instant now, NodeId observer, NodeId subject, const Event& event);

  // The model's counts, for comparison with the engine's.
  std::uint32_t listed(NodeId observer) const;
  std::uint32_t suspects(NodeId observer) const;

 private:
  struct View {
    bool listed = false;
    MemberState state = MemberState::dead;
    Incarnation incarnation{};
    Instant changed{};
    Instant timed_out_at{};
    bool timed_out = false;
  };
  View& view(NodeId observer, NodeId subject) {
    return views_[index_of(observer) * nodes_ + index_of(subject)];
  }
  const View& view(NodeId observer, NodeId subject) const {
    return views_[index_of(observer) * nodes_ + index_of(subject)];
  }
  void on_alive(Instant now, NodeId observer, NodeId subject, Incarnation incarnation);
  void on_suspect(Instant now, NodeId observer, NodeId subject, Incarnation incarnation);
  void on_timeout(Instant now, NodeId observer, NodeId subject);
  void on_gone(Instant now, NodeId observer, NodeId subject, const Event& event);
  void on_reaped(Instant now, NodeId observer, NodeId subject);
  void on_refuted(Instant now, NodeId observer, Incarnation incarnation);
  bool rises(Instant now, NodeId observer, NodeId subject, Incarnation incarnation);
  void fault(Rule rule, Instant now, NodeId observer, NodeId subject, std::string text);

  SwimLimits limits_;
  std::size_t nodes_;
  Violations& violations_;
  std::vector<View> views_;
  std::vector<Instant> late_until_;
  std::vector<Incarnation> own_;
  std::vector<bool> told_to_leave_;
  std::vector<bool> leaving_now_;
  // Accuser, accused, incarnation: deaths that a node declared from its own suspicion.
  std::set<std::tuple<std::string, NodeId, Incarnation>> declared_;
};

}  // namespace starling::sim
