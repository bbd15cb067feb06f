// Holds the dealings between an engine and its owner against their contract: commands are answered
// once, counts agree with events, queues and packets stay in bounds, a lane comes to rest.
//
// core/engine/lane.h, core/shard/commands.h, core/shard/options.h. Owned by the Checkers; one
// thread.
#pragma once

#include <set>
#include <vector>

#include "core/shard/events.h"
#include "core/shard/options.h"
#include "sim/violation.h"

namespace starling::sim {

struct OwnerLimits {
  std::size_t packet_bytes_max = 0;
  std::size_t serf_queue_max = 0;
  std::uint32_t streams_max = 0;
  std::uint32_t polls_at_one_instant_max = 1000;
  // Several lanes add their numbers up one after the other, while events go on: their sum is not of
  // one instant, and is not compared with what the events say.
  std::uint32_t lanes = 1;

  // udp_buffer_bytes bounds gossip, labels and encryption included; a checksum and one length may
  // come on top (protocol/memberlist section 4.6). Direct user messages know no budget but theirs.
  static OwnerLimits of(const EngineOptions& options);
};

// What the checkers know themselves about a node's numbers.
struct ExpectedNumbers {
  std::uint32_t nodes = 0;
  std::uint32_t suspicions = 0;
  std::uint32_t members = 0;
  std::uint32_t members_alive = 0;  // alive or leaving, as the engine counts
  std::uint32_t members_failed = 0;
  std::uint32_t members_left = 0;
};

class OwnerChecker {
 public:
  OwnerChecker(const OwnerLimits& limits, std::size_t nodes, Violations& violations);

  void on_start(NodeId node);
  void on_command(NodeId node, std::uint64_t token) { asked_[index_of(node)].insert(token); }
  void on_answer(Instant now, NodeId node, std::uint64_t token);
  void on_stats(Instant now, NodeId node, const Stats& stats, const ExpectedNumbers& expected);
  void on_packet(Instant now, NodeId node, std::size_t bytes);
  // `polls`: how often the lane was polled at this instant without coming to rest.
  void on_polls(Instant now, NodeId node, std::uint32_t polls);

  std::size_t unanswered(NodeId node) const { return asked_[index_of(node)].size(); }

 private:
  struct Clocks {
    std::uint64_t member = 0, event = 0, query = 0;
    std::uint32_t incarnation = 0;
  };
  OwnerLimits limits_;
  Violations& violations_;
  std::vector<std::set<std::uint64_t>> asked_;
  std::vector<Clocks> clocks_;
};

}  // namespace starling::sim
