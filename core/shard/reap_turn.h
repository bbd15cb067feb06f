// Forgetting: nodes that memberlist no longer lists, members that Serf reaps or prunes, old
// intents.
//
// protocol/memberlist section 9, protocol/serf sections 6 and 8. A row of the member table lives
// while either layer knows the member.
#pragma once

#include "core/shard/node.h"

namespace starling {

// At the end of a probe round: begins to drop long dead and left nodes from the node list. A list
// of at most a few thousand is done at once, a longer one goes on with every probe tick.
void reap_nodes(Node& node, Instant now);
// At a probe tick: goes on. While the table is short of free rows, it does not wait for the end of
// a round, which is days away in a cluster of a million.
void reap_more_nodes(Node& node, Instant now);

// Serf's reaper and its reconnect attempts; each arms its own timer again.
void reap_turn(Node& node, Instant now);
void reconnect_turn(Node& node, Instant now);
// Warns of long queues and cuts them to their limit.
void queue_check_turn(Node& node, Instant now);

// Reports member-reap and forgets the member; the row goes when memberlist does not list it.
// Waits and tries again while the owner does not drain reports.
void erase_member(Node& node, Instant now, Slot slot);
Duration prune_delay(const Node& node);
void prune_later(Node& node, Instant now, Slot slot, Duration delay);
void prune_due(Node& node, Instant now, std::uint32_t place);

}  // namespace starling
