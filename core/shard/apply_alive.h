// Alive messages: new members, news about members, and what others believe about ourselves.
//
// protocol/memberlist section 10.2. The decision is judge_alive in core/swim/rules.h; here the
// facts are looked up and the verdict is carried out.
#pragma once

#include "core/shard/node.h"

namespace starling {

struct AliveOrigin {
  Hosted* bootstrap = nullptr;  // produced by this hosted member itself
  const Endpoint* sender =
      nullptr;         // datagrams only: their source is checked against the allow list
  Ticket ticket = 0;   // bootstrap: who waits for the broadcast
  bool quiet = false;  // not gossiped on
};

void apply_alive(Node& node, Instant now, const Alive& alive, const AliveOrigin& origin);

// A hosted member's own alive message, with its current incarnation and metadata.
Alive own_alive(const Node& node, const Hosted& member, std::array<std::byte, 6>& versions_room);

// A hosted member answers an accusation of incarnation `accused` (section 10.5).
void refute(Node& node, Instant now, Hosted& member, Incarnation accused);

}  // namespace starling
