// A snapshot that lies in memory, for tests.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "agent/snapshot/recovery.h"

namespace starling::agent {

inline ReadAt reading(std::string_view text) {
  return [text](std::uint64_t offset,
                std::span<char> room) -> std::expected<std::size_t, std::string> {
    if (offset >= text.size()) return 0;
    const std::string_view rest = text.substr(static_cast<std::size_t>(offset), room.size());
    std::ranges::copy(rest, room.begin());
    return rest.size();
  };
}

inline Recovered recover_text(std::string_view text, const RecoveryOptions& options = {}) {
  auto recovered = recover(reading(text), options);
  return recovered ? std::move(*recovered) : Recovered{};
}

inline std::map<std::string, std::string> nodes_of(const Recovered& recovered) {
  std::map<std::string, std::string> nodes;
  for (const SnapshotNode& node : recovered.nodes) nodes[node.name] = node.address;
  return nodes;
}

}  // namespace starling::agent
