// What this program calls itself and which Serf protocols it speaks.
#pragma once

#include <string_view>

namespace starling::agent {

inline constexpr std::string_view program_version = STARLING_VERSION;
inline constexpr int serf_protocol_min = 2;
inline constexpr int serf_protocol_max = 5;

}  // namespace starling::agent
