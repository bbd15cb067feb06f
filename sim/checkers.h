// All checkers behind one door: every event of every node passes through here.
//
// Finds out which node an event speaks of, counts what was exercised, and hands the event to the
// checker of its layer. Owned by the world; one thread.
#pragma once

#include "sim/owner_checker.h"
#include "sim/query_checker.h"
#include "sim/report.h"
#include "sim/serf_checker.h"
#include "sim/swim_checker.h"

namespace starling::sim {

class Checkers {
 public:
  // `options` are those of any node: limits do not differ between nodes.
  Checkers(const EngineOptions& options, std::size_t nodes, Report& report);

  void on_start(NodeId node, std::string_view meta);
  void on_leave(NodeId node);
  void on_event(Instant now, NodeId observer, const Event& event);

  SwimChecker& swim() { return swim_; }
  const SwimChecker& swim() const { return swim_; }
  SerfChecker& serf() { return serf_; }
  const SerfChecker& serf() const { return serf_; }
  OwnerChecker& owner() { return owner_; }
  QueryChecker& queries() { return queries_; }
  Violations& violations() { return violations_; }
  const Violations& violations() const { return violations_; }

 private:
  std::optional<NodeId> subject_of(Instant now, NodeId observer, const Event& event);
  void on_trace(Instant now, NodeId observer, const Event& event);
  void count(const Event& event);

  std::size_t nodes_;
  Report& report_;
  Violations violations_;
  SwimChecker swim_;
  SerfChecker serf_;
  OwnerChecker owner_;
  QueryChecker queries_;
};

}  // namespace starling::sim
