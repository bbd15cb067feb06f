#include "agent/cli/colour.h"

#include <cstdlib>

#include <unistd.h>

namespace starling::agent::cli {

std::string paint(std::string_view text, Colour colour) {
  std::string_view code;
  switch (colour) {
    case Colour::none:
      return std::string(text);
    case Colour::red:
      code = "31";
      break;
    case Colour::green:
      code = "32";
      break;
    case Colour::yellow:
      code = "33";
      break;
    case Colour::grey:
      code = "90";
      break;
    case Colour::bold:
      code = "1";
      break;
  }
  std::string out = "\x1b[";
  out.append(code).append("m").append(text).append("\x1b[0m");
  return out;
}

bool wants_colour(int descriptor) {
  const char* const no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  const char* const terminal = std::getenv("TERM");
  if (terminal != nullptr && std::string_view(terminal) == "dumb") return false;
  return isatty(descriptor) == 1;
}

Colour colour_of_status(std::string_view status) {
  if (status == "alive") return Colour::green;
  if (status == "leaving") return Colour::yellow;
  if (status == "failed") return Colour::red;
  if (status == "left") return Colour::grey;
  return Colour::none;
}

Colour colour_of_log_line(std::string_view line) {
  if (line.find("[ERR]") != std::string_view::npos) return Colour::red;
  if (line.find("[WARN]") != std::string_view::npos) return Colour::yellow;
  if (line.find("[DEBUG]") != std::string_view::npos) return Colour::grey;
  if (line.find("[TRACE]") != std::string_view::npos) return Colour::grey;
  return Colour::none;
}

}  // namespace starling::agent::cli
