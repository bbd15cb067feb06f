// What `-lanes` and `-wait` mean. Pure functions of the configuration's words.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/time.h"

namespace starling::agent {

// "auto" is one lane for each of `cores`; otherwise a number from 1 to lanes_max. nullopt: neither.
std::optional<std::uint32_t> lane_count(std::string_view text, unsigned cores);

// How long an idle lane looks before it sleeps (RunOptions::spin): "block", "adaptive" or "busy".
std::optional<Duration> wait_mode_from(std::string_view text);

}  // namespace starling::agent
