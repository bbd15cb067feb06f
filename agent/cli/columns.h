// Text in columns as Serf prints it. protocol/serf section 18.
//
// Every column but the last is padded to its widest cell, counted in characters; two spaces stand
// between columns; white space at both ends of the whole is cut. Colour goes around a cell's text,
// never into its width.
#pragma once

#include <string>
#include <vector>

#include "agent/cli/colour.h"

namespace starling::agent::cli {

struct Cell {
  std::string text;
  Colour colour = Colour::none;
};
using Row = std::vector<Cell>;

std::string format_columns(const std::vector<Row>& rows, bool coloured);

// UTF-8 characters; an invalid byte counts as one.
std::size_t width_of(std::string_view text);

}  // namespace starling::agent::cli
