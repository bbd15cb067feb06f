// Where the node listens and what it tells others. protocol/serf section 16.1, protocol/memberlist
// section 16.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/config.h"
#include "wire/base/types.h"

namespace starling::agent {

inline constexpr std::uint16_t gossip_port = 7946;

// "host", "host:port", "[v6]" or "[v6]:port", resolved; IPv4 before IPv6. Blocks.
std::expected<Endpoint, std::string> resolve_endpoint(std::string_view text);

struct InterfaceAddress {
  std::string interface;
  IpAddress address;
};
// Of all interfaces that are up.
std::vector<InterfaceAddress> interface_addresses();

struct NodeAddresses {
  Endpoint bind;
  std::optional<Endpoint> advertise;  // as configured
  std::string note;                   // "Using interface 'I' address 'A'", or empty
};
// The error is a line for the console.
std::expected<NodeAddresses, std::string> node_addresses(
    const Config& config, std::span<const InterfaceAddress> interfaces);

// What peers are told: the configured address; else, bound to 0.0.0.0, a private IPv4 address of
// the host in 16-byte form, as Go sends it; else the bound one. The error says what to configure.
std::expected<Endpoint, std::string> advertised(const NodeAddresses& addresses,
                                                const Endpoint& bound,
                                                std::span<const InterfaceAddress> interfaces);

}  // namespace starling::agent
