// What the other lanes of this node have to say. One function, a case for each kind of mail.
#pragma once

#include "core/shard/node.h"

namespace starling {

// Takes mail while the outbox can hold answers. True when there may be more.
bool apply_mails(Node& node, Instant now);

// A command that arrived at the front lane: done here, or sent to the lane that owns its subject.
void route_command(Node& node, Instant now, Bytes record);

}  // namespace starling
