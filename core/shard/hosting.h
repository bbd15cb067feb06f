// Taking members in, and letting them go: what makes a hosted member an ordinary one.
//
// Its first alive message, its wish to leave, and its sudden end, which its host keeps to itself:
// from then on the member is a row that nobody answers for, and is found dead by probing.
#pragma once

#include "core/shard/node.h"

namespace starling {

enum class HostProblem : std::uint8_t {
  none,
  already_hosted,
  no_place,    // hosted_max is reached, or the slab of names is full
  table_full,  // no row left
  name_taken,  // somebody else is alive under this name
};
std::string_view to_text(HostProblem problem);

// Starts a member; its alive message is queued. The member is as `problem_with` wants it. On a lane
// that is not its home only the name is noted.
HostProblem host(Node& node, Instant now, const HostedView& member);
// The same for a member whose place was chosen by another lane.
HostProblem host_at(Node& node, Instant now, HostedId id, const HostedView& member);

// The member ends without a word. Called at its home, which tells the other lanes.
void abandon(Node& node, Hosted& member);

// The member's current metadata, as its row has it.
Bytes meta_of(const Node& node, const Hosted& member);

}  // namespace starling
