// The JSON that `members` and `info` print: two spaces a level, Go's escapes, keys in Serf's order.
#pragma once

#include <string>
#include <vector>

#include "agent/rpc_messages.h"

namespace starling::agent::cli {

std::string members_json(const std::vector<MemberInfo>& members);
std::string stats_json(const Stats& stats);

}  // namespace starling::agent::cli
