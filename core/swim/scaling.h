// How times and counts grow with the cluster: the formulas of protocol/memberlist 13, 14.4, 15.1.
//
// Pure functions. `members` is n of the document: everybody in the node list, whatever the state,
// and ourselves. Equal to memberlist to the nanosecond, see formulas_head of the vectors.
#pragma once

#include <cstdint>

#include "core/base/time.h"

namespace starling {

// The lower bound of a suspicion: multiplier * max(1, log10 members) * interval, the logarithm cut
// to thousandths.
Duration suspicion_timeout(std::uint32_t multiplier, std::uint32_t members, Duration interval);

// k: how many further accusers bring a suspicion from its upper to its lower bound.
std::uint32_t suspicion_confirmations(std::uint32_t multiplier, std::uint32_t members);

struct SuspicionProgress {
  std::uint32_t confirmations = 0;         // so far
  std::uint32_t confirmations_needed = 0;  // k
  Duration elapsed{};                      // since the suspicion started
  Duration min{}, max{};
};
// What is left until the member is declared dead; negative when that time has passed.
Duration suspicion_remaining(const SuspicionProgress& progress);

// The push/pull interval: doubled above 32 members, tripled above 64, and so on.
Duration push_pull_scale(Duration interval, std::uint32_t members);

// How often an update is transmitted: multiplier * ceil(log10(members + 1)).
std::uint32_t retransmit_limit(std::uint32_t multiplier, std::uint32_t members);

}  // namespace starling
