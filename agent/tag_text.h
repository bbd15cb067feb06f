// Tags as the command line writes them, and as the engine wants them.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "agent/member_info.h"

namespace starling::agent {

// "k=v" at the first '='; the error is Serf's "Invalid tag: 'x'".
std::expected<Tags, std::string> parse_tags(const std::vector<std::string>& pairs);

// The metadata that a member of Serf protocol `protocol` advertises. The error is "Encoded length
// of tags exceeds limit of 512 bytes".
std::expected<std::string, std::string> metadata_of(const Tags& tags, std::uint8_t protocol);

}  // namespace starling::agent
