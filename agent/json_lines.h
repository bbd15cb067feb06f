// In which line of a JSON text each of its values stands, for messages to people.
//
// The text has been parsed already; what is malformed ends the look-up early and gives fewer lines.
// Nested deeper than json_lines_depth_max, values have the line of what they are in.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace starling::agent {

inline constexpr std::size_t json_lines_depth_max = 4;

// "key" of the outermost object in lower case, "key[name]" and "key[0]" inside it; lines count
// from 1. A key's line is that of its name.
using JsonLines = std::map<std::string, std::size_t>;
JsonLines json_lines(std::string_view json);

}  // namespace starling::agent
