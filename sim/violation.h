// A broken rule, and the place where the checkers put it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"
#include "sim/node_id.h"

namespace starling::sim {

enum class Rule : std::uint8_t {
  incarnation_fell,        // an observer went back to an older incarnation of a member
  resurrection,            // dead or left became alive without a higher incarnation
  self_not_alive,          // a node believed that it is itself suspect, dead, failed or leaving
  impossible_state,        // a change of swim state that the protocol does not have
  dead_without_suspicion,  // declared dead here, but no suspicion ran out at that moment
  dead_without_accuser,    // said to be declared dead by somebody who never did
  left_without_leaving,    // left, but nobody told it to leave
  suspicion_too_short,
  suspicion_too_long,
  reaped_too_early,
  refutation_fell,    // a node answered an accusation with an incarnation it already had
  unknown_name,       // a name that no node has
  foreign_endpoint,   // a member at an address that is not its own
  foreign_meta,       // metadata that the member never had
  impossible_status,  // a change of Serf status that section 6 does not have
  event_twice,        // a user event delivered a second time to one process
  foreign_event,      // a user event that nobody sent
  event_lost,         // a user event that a running node never got
  foreign_query,      // a query that nobody asked, or not of those who report it
  query_twice,        // a query handed to the owner of one process a second time
  query_lost,         // a query in the quiet that nobody heard but the one who asked
  query_end,          // a query that ended before its time, or never
  foreign_answer,     // an ack or response that its sender never gave, or not to this process
  bad_answer_taken,   // an engine took an answer that came too late, again or was too much
  answer_twice,       // a second ack or response of one member to one query
  answer_lost,        // an ack or response in the quiet that never arrived
  answer_unasked,     // a command answered twice, or never sent
  answer_missing,     // a command that was never answered
  clock_fell,         // a Lamport clock went back
  over_bound,         // a queue or table beyond its limit
  numbers_disagree,   // the engine's own counts differ from what its events say
  reports_lost,       // traces or rows held back although the owner drains
  packet_too_large,
  never_idle,  // a lane that asks to be polled again and again at one instant
  not_converged,
};
inline constexpr std::size_t rule_count = static_cast<std::size_t>(Rule::not_converged) + 1;
std::string_view to_text(Rule rule);

struct Violation {
  Rule rule{};
  Instant at{};
  NodeId observer{};
  std::string text;
};

// Keeps the first violations; a broken node would otherwise fill the memory with them.
class Violations {
 public:
  static constexpr std::size_t kept_max = 20;
  void add(Rule rule, Instant at, NodeId observer, std::string text) {
    ++count_;
    if (kept_.size() < kept_max) kept_.push_back({rule, at, observer, std::move(text)});
  }
  std::size_t count() const { return count_; }
  const std::vector<Violation>& kept() const { return kept_; }

 private:
  std::size_t count_ = 0;
  std::vector<Violation> kept_;
};

}  // namespace starling::sim
