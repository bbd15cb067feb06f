// Tags as the command line writes them.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "agent/member_info.h"

namespace starling::agent {

// "k=v" at the first '='; the error is Serf's "Invalid tag: 'x'".
std::expected<Tags, std::string> parse_tags(const std::vector<std::string>& pairs);

}  // namespace starling::agent
