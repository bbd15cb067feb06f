// Colour on terminals: only when the output is one, and NO_COLOR is not set.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace starling::agent::cli {

enum class Colour : std::uint8_t { none, red, green, yellow, grey, bold };

// `text` between escape sequences, or as it is for Colour::none.
std::string paint(std::string_view text, Colour colour);

// Whether the file descriptor is a terminal that may be coloured (isatty, TERM, NO_COLOR).
bool wants_colour(int descriptor);

// How a member's status looks: alive green, leaving yellow, failed red, left grey.
Colour colour_of_status(std::string_view status);
// How a log line looks, by its level.
Colour colour_of_log_line(std::string_view line);

}  // namespace starling::agent::cli
