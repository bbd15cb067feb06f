#include "agent/swarm/figures.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace starling::agent::swarm {
namespace {

constexpr std::array<std::string_view, 9> rising = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<std::string_view, 8> filling = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};

// One character or escape sequence at the front of `text`.
struct Piece {
  std::size_t bytes;
  std::size_t columns;
};
Piece first_piece(std::string_view text) {
  if (text[0] == '\x1b') {
    const std::size_t end = text.find_first_of("mKHJhl");
    return {end == std::string_view::npos ? text.size() : end + 1, 0};
  }
  std::size_t bytes = 1;
  while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) ++bytes;
  return {bytes, 1};
}

}  // namespace

std::string grouped(std::uint64_t count) {
  const std::string digits = std::to_string(count);
  std::string text;
  for (std::size_t at = 0; at < digits.size(); ++at) {
    if (at > 0 && (digits.size() - at) % 3 == 0) text += ' ';
    text += digits[at];
  }
  return text;
}

std::string bytes_text(double bytes) {
  constexpr std::array<std::string_view, 5> units = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < units.size(); ++unit) bytes /= 1024;
  if (unit == 0) return fmt::format("{:.0f} B", bytes);
  return fmt::format("{:.{}f} {}", bytes, bytes < 10 ? 2 : bytes < 100 ? 1 : 0, units[unit]);
}

std::string time_text(Duration time) {
  const double seconds = std::chrono::duration<double>(time).count();
  if (seconds < 1) return fmt::format("{:.1f} ms", seconds * 1000);
  if (seconds < 10) return fmt::format("{:.2f} s", seconds);
  if (seconds < 120) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::uint64_t>(seconds);
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
}

std::string bar(double share, std::size_t width) {
  const auto eighths =
      static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width) * 8);
  std::string text;
  for (std::size_t i = 0; i < eighths / 8; ++i) text += rising.back();
  text += filling[eighths % 8];
  const std::size_t used = eighths / 8 + (eighths % 8 > 0 ? 1 : 0);
  text.append(width - std::min(width, used), ' ');
  return text;
}

std::string sparkline(std::span<const double> values, std::size_t width) {
  values = values.last(std::min(width, values.size()));
  const double most = values.empty() ? 0 : std::max(0.0, *std::ranges::max_element(values));
  std::string text;
  for (const double value : values) {
    const double step = most > 0 ? std::max(0.0, value) / most * 8 : 0;
    text += rising[static_cast<std::size_t>(step + 0.5)];
  }
  return text;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Piece piece = first_piece(text);
    columns += piece.columns;
    text.remove_prefix(piece.bytes);
  }
  return columns;
}

std::string fitted(std::string_view text, std::size_t width) {
  std::string out;
  std::size_t columns = 0;
  while (!text.empty()) {
    const Piece piece = first_piece(text);
    // What is cut keeps its escape sequences, so that colours end where they should.
    if (columns + piece.columns <= width) out += text.substr(0, piece.bytes);
    if (columns + piece.columns <= width) columns += piece.columns;
    text.remove_prefix(piece.bytes);
  }
  out.append(width - columns, ' ');
  return out;
}

}  // namespace starling::agent::swarm
