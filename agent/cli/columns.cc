#include "agent/cli/columns.h"

#include <algorithm>
#include <cstring>

#include "agent/go_text.h"

namespace starling::agent::cli {
namespace {

// Writes lines, but no white space at either end of the whole.
class Trimmed {
 public:
  explicit Trimmed(std::ostream& out) : out_(out) {}
  void write(std::string_view line) {
    const std::string_view text = trim_space(line);
    if (text.empty()) {
      pending_ += line;
      return;
    }
    const auto before = static_cast<std::size_t>(text.data() - line.data());
    if (begun_) out_ << pending_ << line.substr(0, before);
    out_ << text;
    pending_ = line.substr(before + text.size());
    begun_ = true;
  }

 private:
  std::ostream& out_;
  std::string pending_;  // white space that is written when something follows
  bool begun_ = false;
};

}  // namespace

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  for (; !text.empty(); ++width) text.remove_prefix(first_character(text).bytes.size());
  return width;
}

void Columns::add(const Row& row) {
  widths_.resize(std::max(widths_.size(), row.size()), 0);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::string_view text = trim_space(row[i].text);
    widths_[i] = std::max(widths_[i], width_of(text));
    Header header;
    header.bytes = static_cast<std::uint32_t>(text.size());
    header.colour = row[i].colour;
    header.last = i + 1 == row.size();
    cells_.append(reinterpret_cast<const char*>(&header), sizeof header);
    cells_ += text;
  }
}

void Columns::print(std::ostream& out, bool coloured) const {
  Trimmed trimmed(out);
  std::string line;
  std::size_t column = 0;
  for (std::string_view rest = cells_; !rest.empty();) {
    Header header;
    std::memcpy(&header, rest.data(), sizeof header);
    const std::string_view text = rest.substr(sizeof header, header.bytes);
    rest.remove_prefix(sizeof header + text.size());
    line += coloured ? paint(text, header.colour) : std::string(text);
    if (!header.last) {
      line.append(widths_[column++] - width_of(text) + 2, ' ');
      continue;
    }
    line += '\n';
    trimmed.write(line);
    line.clear();
    column = 0;
  }
}

}  // namespace starling::agent::cli
