#include "agent/cli/columns.h"

#include <algorithm>

#include "agent/go_text.h"

namespace starling::agent::cli {

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  for (; !text.empty(); ++width) text.remove_prefix(first_character(text).bytes.size());
  return width;
}

std::string format_columns(const std::vector<Row>& rows, bool coloured) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(trim_space(row[i].text)));
    }
  }
  std::string out;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string_view text = trim_space(row[i].text);
      out += coloured ? paint(text, row[i].colour) : std::string(text);
      if (i + 1 < row.size()) out.append(widths[i] - width_of(text) + 2, ' ');
    }
    out += '\n';
  }
  return std::string(trim_space(out));
}

}  // namespace starling::agent::cli
