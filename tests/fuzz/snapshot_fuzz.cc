// Any snapshot file: how it is read in pieces changes nothing, and what it says survives being
// written down again. The first byte chooses the options and the cuts.
#include <algorithm>
#include <string>

#include "agent/snapshot/recovery.h"
#include "tests/fuzz/fuzz.h"

namespace starling {
namespace {

using agent::Recovered;
using agent::SnapshotNode;

// Everything but the order of the nodes.
std::string summary(Recovered recovered) {
  std::ranges::sort(recovered.nodes, {}, &SnapshotNode::name);
  std::string text;
  for (const SnapshotNode& node : recovered.nodes) {
    text += "alive: " + node.name + " " + node.address + "\n";
  }
  text += "clock: " + std::to_string(recovered.clock) + "\n";
  text += "event-clock: " + std::to_string(recovered.event_clock) + "\n";
  text += "query-clock: " + std::to_string(recovered.query_clock) + "\n";
  text += std::string(agent::incarnation_prefix) + std::to_string(recovered.incarnation) + "\n";
  return text;
}

Recovered read_text(std::string_view text, std::size_t piece_max, bool rejoin) {
  const agent::ReadAt read_at =
      [&](std::uint64_t offset, std::span<char> room) -> std::expected<std::size_t, std::string> {
    if (offset >= text.size()) return 0;
    // The short reads are those of whole pieces; single lines are read again in full.
    const bool line = room.size() <= agent::snapshot_line_bytes_max + 1;
    const std::size_t count = line ? room.size() : std::min(room.size(), piece_max);
    const std::string_view part = text.substr(static_cast<std::size_t>(offset), count);
    std::ranges::copy(part, room.begin());
    return part.size();
  };
  auto recovered = agent::recover(
      read_at, {.rejoin_after_leave = rejoin, .nodes_max = 1u << 16, .names_max = 1u << 16});
  CHECK(recovered.has_value());
  CHECK(recovered->alive == recovered->nodes.size());
  return std::move(*recovered);
}

void check_snapshot(Bytes input) {
  const std::uint8_t choice = fuzz::take_byte(input);
  const bool rejoin = (choice & 1) != 0;
  const std::string_view text = as_text(input);
  const std::string whole = summary(read_text(text, text.size() + 1, rejoin));
  CHECK(whole == summary(read_text(text, 1 + choice / 2, rejoin)));
  const Recovered again = read_text(whole, whole.size(), false);
  CHECK(summary(again) == whole);
  CHECK(again.warnings.empty());
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_snapshot)
