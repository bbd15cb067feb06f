// Text in columns as Serf prints it. protocol/serf section 18.
//
// Every column but the last is padded to its widest cell, counted in characters; two spaces stand
// between columns; white space at both ends of the whole is cut. Colour goes around a cell's text,
// never into its width. Rows are kept as one run of text, since there may be a million of them.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "agent/cli/colour.h"

namespace starling::agent::cli {

struct Cell {
  std::string text;
  Colour colour = Colour::none;
};
using Row = std::vector<Cell>;

class Columns {
 public:
  void add(const Row& row);
  void print(std::ostream& out, bool coloured) const;

 private:
  struct Header {
    std::uint32_t bytes = 0;
    Colour colour = Colour::none;
    bool last = false;  // in its row
  };
  std::string cells_;  // each a Header and its text
  std::vector<std::size_t> widths_;
};

// UTF-8 characters; an invalid byte counts as one.
std::size_t width_of(std::string_view text);

}  // namespace starling::agent::cli
