// Figures as people read them: counts in groups, bytes, seconds, bars and sparklines.
//
// Pure functions; the results are UTF-8, one column a character.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/time.h"

namespace starling::agent::swarm {

// "1 000 000"
std::string grouped(std::uint64_t count);
// "512 B", "1.50 KiB", "20.0 GiB": three digits that matter.
std::string bytes_text(double bytes);
// "3.2 ms", "1.23 s", "12.3 s", "2m05s", "1h02m"
std::string time_text(Duration time);
// `share` (0..1) of `width` columns filled, in eighths of a column.
std::string bar(double share, std::size_t width);
// The last `width` values, lowest to highest of eight steps from 0 to the largest.
std::string sparkline(std::span<const double> values, std::size_t width);
// Columns that a text takes; escape sequences take none.
std::size_t columns_of(std::string_view text);
// Cut or padded with blanks to `width` columns; escape sequences stay whole.
std::string fitted(std::string_view text, std::size_t width);

}  // namespace starling::agent::swarm
