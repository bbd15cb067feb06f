#include "core/digest/cell_sender.h"

#include <algorithm>

namespace starling {

namespace {

// The head of a cells message: type, kind, exchange, root, first.
constexpr std::size_t cells_head_bytes = 1 + 1 + 4 + 8 + 4;

// Cells for each symbol. The paper's overhead is 1.45 at a hundred and falls to 1.35; the rest is
// for the spread of that and of the estimate.
constexpr double few_factor = 1.5;
constexpr double many_factor = 1.4;
constexpr double many_symbols = 1000;
constexpr double extra_cells = 12;

}  // namespace

bool is_saturated(std::uint32_t differing, std::uint32_t groups) {
  return differing * 100ULL > groups * 97ULL;
}

std::uint32_t cells_for(double rows, std::uint32_t count, std::uint32_t other_count) {
  const std::uint32_t lacking = count > other_count ? count - other_count : other_count - count;
  const double differing = std::max(rows, static_cast<double>(lacking));
  const double symbols = 2 * differing - lacking;
  const double factor = symbols < many_symbols ? few_factor : many_factor;
  // Counts are below 2^32, so this is below 2^34; what is beyond 32 bits is beyond every prefix.
  return static_cast<std::uint32_t>(std::min(factor * symbols + extra_cells, 4e9));
}

std::uint32_t cells_of_a_request(std::size_t room) {
  const std::size_t bytes = std::min(room, sync_message_bytes_max) - cells_head_bytes;
  return static_cast<std::uint32_t>(request_messages * (bytes / sync_cell_bytes));
}

void send_cells(const SyncHeader& header, std::uint64_t root, std::uint32_t first,
                std::span<const Cell> cells, SyncOutbox& out) {
  while (!cells.empty()) {
    Writer message = out.blank();
    encode(header, SyncCellsPart{.root = root, .first = first}, message);
    while (!cells.empty() && message.room() >= sync_cell_bytes) {
      put_cell(wire_cell(cells.front()), message);
      cells = cells.subspan(1);
      ++first;
    }
    out.send(message.written());
  }
}

void send_cells(const SyncHeader& header, std::uint32_t first, std::uint32_t count,
                SyncOutbox& out) {
  const DigestSum& digest = out.source().digest();
  if (first >= digest.cells()) return;
  std::array<Cell, request_cells_max> room;
  const std::span<Cell> cells =
      std::span(room).first(std::min({count, digest.cells() - first, request_cells_max}));
  const Root root = digest.copy_cells(first, cells);
  send_cells(header, root.sum, first, cells, out);
}

}  // namespace starling
