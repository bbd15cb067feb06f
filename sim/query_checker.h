// Holds queries and their answers against Serf's rules: who is asked, who may answer, once, in
// time.
//
// protocol/serf section 10. The world tells what the users ask and what the owners of the engines
// answer; everything an engine reports must follow from that. A query goes by its name, which the
// world uses once. Owned by the Checkers; one thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/shard/events.h"
#include "sim/violation.h"

namespace starling::sim {

struct Question {
  std::string name;
  std::string payload;
  std::vector<NodeId> nodes;     // filter by names; empty: everybody
  std::optional<NodeId> tagged;  // filter by a tag that only this node has
  Duration timeout{};            // zero: by Serf's formula
  bool want_acks = true;
  std::uint8_t relay_factor = 0;

  bool is_for(NodeId node) const;
};

class QueryChecker {
 public:
  QueryChecker(std::size_t nodes, Violations& violations)
      : violations_(violations), lives_(nodes) {}

  // What the world did.
  void on_start(NodeId node) { ++lives_[index_of(node)]; }
  void on_asked(Instant now, NodeId asker, std::uint64_t token, const Question& question);
  // An owner answers too late, a second time or too much, by the command with this token.
  void on_bad_answer(std::uint64_t token, const std::string& name) { bad_answers_[token] = name; }
  // A command was done: a query runs from now on, a bad answer must have been refused.
  void on_command_done(Instant now, NodeId observer, const Event& event);
  void on_answered(Instant now, NodeId node, const std::string& name, const std::string& payload);
  void on_acknowledged(Instant now, NodeId node, const std::string& name);

  // What `observer` says.
  void on_query(Instant now, NodeId observer, const Event& event);
  void on_ack(Instant now, NodeId observer, std::optional<NodeId> from, const Event& event);
  void on_response(Instant now, NodeId observer, std::optional<NodeId> from, const Event& event);
  void on_done(Instant now, NodeId observer, const Event& event);

  // nullptr: nobody asked that.
  const Question* question(const std::string& name) const;
  bool is_over(const std::string& name) const;
  std::size_t heard_by(const std::string& name) const;
  std::size_t responses(const std::string& name) const;
  // Holds a query that is over against the quiet: whoever let its ack or its answer go this long
  // before the asker's end and still runs has got it through.
  void expect_answers(Instant now, const std::string& name, Duration before_the_end);
  // Queries of the running process of `node` that have not ended `late` after their time.
  std::size_t unfinished(Instant now, NodeId node, Duration late) const;

 private:
  struct Part {                                    // one node's in one query
    std::set<std::uint32_t> lives;                 // the processes that heard it
    std::set<std::string> answers;                 // that may come, of any process
    std::optional<Instant> acked_at, answered_at;  // the first time
    bool ack_came = false, response_came = false;
  };
  struct Asked {
    Question question;
    NodeId asker{};
    std::uint32_t life = 0;
    std::optional<Instant> begun, over;
    Instant at{};
    std::map<NodeId, Part> parts;
  };
  Asked* find(const std::string& name);
  const Asked* find(const std::string& name) const;
  // The query that a report with this token is of; nullptr, and a violation, if it is not open.
  Asked* open_at(Instant now, NodeId observer, std::uint64_t token, std::string_view what);
  Part* part_of(Instant now, NodeId observer, Asked& asked, std::optional<NodeId> from,
                std::string_view what);

  Violations& violations_;
  std::vector<std::uint32_t> lives_;
  std::map<std::string, Asked> asked_;
  std::map<std::uint64_t, std::string> names_;  // by token
  std::map<std::uint64_t, std::string> bad_answers_;
};

}  // namespace starling::sim
