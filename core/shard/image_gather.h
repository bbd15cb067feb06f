// Our state for a push/pull when several lanes hold it: asked for, gathered, put together.
//
// The front lane asks every lane for its part and gets pointers to bytes that stay as they are
// until it says it is done with them. One gathering runs at a time; sessions that want a state
// meanwhile wait for the next. With one lane the state is written at once.
#pragma once

#include "core/shard/node.h"

namespace starling {

// Starts a gathering if none runs. False: there is nothing to gather, the only lane is this one.
bool start_gathering(Node& node);
// A lane is asked for its part.
void on_image_wanted(Node& node, ShardId from, std::uint64_t number);
// A part has come; true when it was the last. The parts are in node.gathering until the next start.
bool on_image(Node& node, ShardId from, const Mail& mail);

}  // namespace starling
