// How the simulator numbers its nodes, and the name and address that go with a number.
//
// A node keeps its number, name and address across crashes and restarts; `life` counts the
// processes that ran under it. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wire/base/types.h"

namespace starling::sim {

enum class NodeId : std::uint16_t {};
constexpr std::size_t index_of(NodeId node) {
  return static_cast<std::size_t>(node);
}

inline constexpr std::uint16_t node_port = 7946;
inline constexpr std::size_t nodes_max = 4096;

// "n007"
inline std::string name_of(NodeId node) {
  std::string digits = std::to_string(index_of(node));
  return "n" + std::string(digits.size() < 3 ? 3 - digits.size() : 0, '0') + digits;
}
// 10.0.high.low:7946
inline Endpoint endpoint_of(NodeId node) {
  const auto number = static_cast<std::uint16_t>(node);
  return {IpAddress::v4(10, 0, static_cast<std::uint8_t>(number >> 8),
                        static_cast<std::uint8_t>(number & 0xff)),
          node_port};
}
// Nothing when no node can have that address.
inline std::optional<NodeId> node_at(const Endpoint& endpoint, std::size_t nodes) {
  const Bytes octets = endpoint.address.bytes();
  if (octets.size() != 4 || endpoint.port != node_port) return std::nullopt;
  const auto octet = [&](std::size_t at) { return std::to_integer<std::size_t>(octets[at]); };
  const std::size_t number = octet(2) * 256 + octet(3);
  if (octet(0) != 10 || octet(1) != 0 || number >= nodes) return std::nullopt;
  return NodeId{static_cast<std::uint16_t>(number)};
}

}  // namespace starling::sim
