// How a command to the engine ended, as a sentence for whoever asked.
#pragma once

#include <string>
#include <string_view>

#include "core/shard/events.h"

namespace starling::agent {

// Empty when it ended well; else the words of protocol/serf sections 8, 9 and 17. `on_timeout` is
// said when a broadcast did not get out in time.
std::string command_error(const Event& answer, std::string_view on_timeout);

}  // namespace starling::agent
