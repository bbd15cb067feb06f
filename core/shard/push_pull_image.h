// Our own push/pull state as bytes: header, every listed node, Serf's state.
//
// protocol/memberlist section 6.11, protocol/serf section 7. Built at one instant, so that counts
// and contents agree however long it takes to send.
#pragma once

#include "core/shard/node.h"

namespace starling {

// What goes into a state.
struct StateWish {
  bool join = false;
  bool events_only = false;  // no members
  bool partial = false;      // of a large table a part will do: the peer goes on by digests
};
// A table up to this size is sent whole even to peers that need only a part.
inline constexpr std::uint32_t partial_nodes_max = 1'024;
// The message, type byte first, inside `room`. Empty when it does not fit. Holds what this lane
// knows and the parts of the other lanes in node.gathering.
Bytes build_push_pull(Node& node, const StateWish& wish, MutableBytes room);
// What this lane adds to such a message. Empty when it does not fit into `room`.
ImagePart write_image_part(Node& node, MutableBytes room);

}  // namespace starling
