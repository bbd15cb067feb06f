// Alive messages: new members, news about members, and what others believe about ourselves.
//
// protocol/memberlist section 10.2. The decision is judge_alive in core/swim/rules.h; here the
// facts are looked up and the verdict is carried out.
#pragma once

#include "core/shard/node.h"

namespace starling {

struct AliveOrigin {
  bool bootstrap = false;  // produced by this node itself
  const Endpoint* sender =
      nullptr;        // datagrams only: their source is checked against the allow list
  Ticket ticket = 0;  // bootstrap: who waits for the broadcast
};

void apply_alive(Node& node, Instant now, const Alive& alive, const AliveOrigin& origin);

// Our own alive message with this incarnation and our current metadata.
Alive own_alive(const Node& node, Incarnation incarnation, std::array<std::byte, 6>& versions_room);

// Answers an accusation of incarnation `accused` (section 10.5).
void refute(Node& node, Instant now, Incarnation accused);

}  // namespace starling
