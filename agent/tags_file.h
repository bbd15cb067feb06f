// The tags file: a JSON object of strings that survives restarts. protocol/serf section 16.3.
#pragma once

#include <expected>
#include <string>

#include "agent/member_info.h"

namespace starling::agent {

// No file is no tags. The error names the file.
std::expected<Tags, std::string> read_tags_file(const std::string& path);

std::expected<void, std::string> write_tags_file(const std::string& path, const Tags& tags);

}  // namespace starling::agent
