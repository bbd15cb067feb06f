// Our own push/pull state as bytes: header, every listed node, Serf's state.
//
// protocol/memberlist section 6.11, protocol/serf section 7. Built at one instant, so that counts
// and contents agree however long it takes to send.
#pragma once

#include "core/shard/node.h"

namespace starling {

// The message, type byte first, inside `room`. Empty when it does not fit. Holds what this lane
// knows and the parts of the other lanes in node.gathering.
Bytes build_push_pull(Node& node, bool join, MutableBytes room);
// What this lane adds to such a message. Empty when it does not fit into `room`.
ImagePart write_image_part(const Node& node, MutableBytes room);

}  // namespace starling
