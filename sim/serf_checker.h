// Holds the member rows and user events that nodes report against Serf's rules, and keeps the rows.
//
// protocol/serf sections 6, 8 and 9. The rows are the mirror that any owner of an engine can build
// from its events; convergence is judged on them. Owned by the Checkers; one thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/shard/events.h"
#include "sim/violation.h"

namespace starling::sim {

struct MemberRow {
  MemberStatus status = MemberStatus::none;  // none: no such row
  std::string meta;
};

class SerfChecker {
 public:
  SerfChecker(std::size_t nodes, Violations& violations);

  // What the world did.
  void on_start(NodeId node, std::string_view meta);
  void on_leave(NodeId node) { leaving_[index_of(node)] = true; }
  void on_meta(NodeId node, std::string_view meta);
  void on_user_event_sent(std::string_view name, std::string_view payload);

  // What `observer` says.
  void on_member(Instant now, NodeId observer, NodeId subject, const Event& event);
  void on_user_event(Instant now, NodeId observer, const Event& event);

  const MemberRow& row(NodeId observer, NodeId subject) const {
    return rows_[index_of(observer) * nodes_ + index_of(subject)];
  }
  std::uint32_t rows(NodeId observer) const;
  std::uint32_t rows(NodeId observer, MemberStatus status) const;
  const std::string& meta(NodeId node) const { return meta_[index_of(node)]; }
  // Times the running process of `node` got the event.
  std::size_t deliveries(NodeId node, std::string_view name) const;

 private:
  void fault(Rule rule, Instant now, NodeId observer, NodeId subject, std::string text);

  std::size_t nodes_;
  Violations& violations_;
  std::vector<MemberRow> rows_;
  std::vector<bool> leaving_;
  std::vector<std::string> meta_;                 // of the running process
  std::vector<std::set<std::string>> meta_ever_;  // by node
  std::set<std::pair<std::string, std::string>> sent_;
  std::vector<std::map<std::tuple<std::string, std::string, LamportTime>, std::size_t>> delivered_;
};

}  // namespace starling::sim
