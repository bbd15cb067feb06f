// How long things may take: the limits that checkers hold a run against, derived from the options.
//
// protocol/memberlist sections 11 to 15, protocol/serf section 8. Pure functions of the options and
// the number of nodes; the derivation stands with each.
#pragma once

#include "core/base/time.h"
#include "core/shard/options.h"

namespace starling::sim {

// The shortest suspicion of any cluster of at most `nodes`: the list never has fewer than one node,
// and up to ten nodes the logarithm counts as one.
Duration suspicion_min(const SwimOptions& swim);
// The longest: nobody confirms, and the list has all `nodes`.
Duration suspicion_max(const SwimOptions& swim, std::size_t nodes);

// Gossip has reached everybody or has stopped: a statement is sent at most
// retransmit_mult * ceil(log10(n + 1)) times by each node, gossip_nodes per tick, and an epidemic
// of fan-out f needs about log_{f+1}(n) + ln(n)/f ticks. Twice their sum covers loss-free ticks.
Duration dissemination(const SwimOptions& swim, std::size_t nodes);

// The interval between two push/pulls of one node, stretched by the cluster's size.
Duration push_pull_interval(const SwimOptions& swim, std::size_t nodes);

// A crash at any moment, no faults: until every running node says so. One probe round (everybody
// is probed by everybody once in n - 1 intervals, so the first prober comes within one round and on
// average within two intervals; its own interval may be stretched by the full health score), the
// longest suspicion, then the death spreads by gossip; whom gossip missed learns by push/pull,
// first as a suspicion that must run out again.
Duration detection(const SwimOptions& swim, std::size_t nodes);

// A statement that everybody must get in the end, push/pull included: gossip reaches nearly all; an
// uninformed node's own push/pull reaches an informed one with near certainty. Four rounds.
Duration delivery(const SwimOptions& swim, std::size_t nodes);

// A member that said it leaves, but stayed or came back, is shown as leaving until the reaper has
// lost its patience: twice the longest leave, and one turn of the reaper.
Duration stayers(const SerfOptions& serf);

// After the last fault: until all views agree.
//  1. Old streams and joins end by their deadline, joins are tried again every second.
//  2. Probes stretched by the health score end; suspicions that run end.
//  3. Members that were reaped on both sides are only found by Serf's reconnect: with f failed
//     members and a alive ones each of the a nodes tries with probability min(1, f/a), so a round
//     fails with probability at most about 1/e, and 14 rounds all fail with less than 1e-6.
//  4. A false "dead" left anywhere becomes a suspicion at the next push/pull with a node that knows
//     better, is refuted, and the refutation spreads: ceil(log2 n) + 4 rounds of push/pull, each
//     followed by one dissemination.
//  5. Members that said they leave, but stayed, see stayers().
Duration convergence(const SwimOptions& swim, const SerfOptions& serf, std::size_t nodes);

}  // namespace starling::sim
