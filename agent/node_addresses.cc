#include "agent/node_addresses.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "agent/addresses.h"
#include "io/address.h"
#include "io/file.h"

namespace starling::agent {
namespace {

bool is_any_ipv4(const IpAddress& address) {
  return address == IpAddress::v4(0, 0, 0, 0);
}

// The ranges of RFC 6890 that routers forward: what memberlist takes for a private address.
bool is_private_ipv4(const IpAddress& address) {
  struct Range {
    std::uint32_t network;
    unsigned bits;
  };
  constexpr std::array<Range, 10> ranges{{{0x0a000000, 8},     // 10.0.0.0
                                          {0x64400000, 10},    // 100.64.0.0
                                          {0xac100000, 12},    // 172.16.0.0
                                          {0xc0000000, 24},    // 192.0.0.0
                                          {0xc0000200, 24},    // 192.0.2.0
                                          {0xc0586300, 24},    // 192.88.99.0
                                          {0xc0a80000, 16},    // 192.168.0.0
                                          {0xc6120000, 15},    // 198.18.0.0
                                          {0xc6336400, 24},    // 198.51.100.0
                                          {0xcb007100, 24}}};  // 203.0.113.0
  if (address.bytes().size() != 4) return false;
  std::uint32_t number = 0;
  for (const std::byte octet : address.bytes()) {
    number = (number << 8) | std::to_integer<std::uint32_t>(octet);
  }
  return std::ranges::any_of(ranges, [&](const Range& range) {
    return (number ^ range.network) >> (32 - range.bits) == 0;
  });
}

IpAddress mapped(const IpAddress& ipv4) {
  std::array<std::byte, 16> raw{};
  raw[10] = raw[11] = std::byte{0xff};
  std::ranges::copy(ipv4.bytes(), raw.begin() + 12);
  return IpAddress(raw);
}

// The source address that the kernel would take towards the rest of the world, if there is a way.
std::optional<IpAddress> default_source() {
  const io::File socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  io::SocketAddress far;
  io::to_socket_address({IpAddress::v4(192, 0, 2, 1), 9}, AF_INET, io::Zone::none, far);
  // Connecting a datagram socket sends nothing.
  if (connect(socket.descriptor(), far.get(), far.bytes) != 0) return std::nullopt;
  io::SocketAddress here;
  here.bytes = sizeof here.storage;
  if (getsockname(socket.descriptor(), here.get(), &here.bytes) != 0) return std::nullopt;
  return io::to_endpoint(here.storage).address;
}

}  // namespace

std::expected<Endpoint, std::string> resolve_endpoint(std::string_view text) {
  const auto parts = split_with_default(text, gossip_port);
  if (!parts) return std::unexpected(parts.error());
  const auto port = parse_port(parts->port);
  if (!port) return std::unexpected(port.error());
  if (parts->host.empty()) return Endpoint{IpAddress::v4(0, 0, 0, 0), *port};
  const auto found = resolve(parts->host);
  if (!found) return std::unexpected(found.error());
  const auto ipv4 =
      std::ranges::find_if(*found, [](const IpAddress& a) { return a.bytes().size() == 4; });
  return Endpoint{ipv4 == found->end() ? found->front() : *ipv4, *port};
}

std::vector<InterfaceAddress> interface_addresses() {
  std::vector<InterfaceAddress> addresses;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return addresses;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) continue;
    const bool ipv4 = entry->ifa_addr->sa_family == AF_INET;
    if (!ipv4 && entry->ifa_addr->sa_family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, entry->ifa_addr, ipv4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    addresses.push_back({entry->ifa_name, io::to_endpoint(storage).address});
  }
  freeifaddrs(list);
  return addresses;
}

std::expected<NodeAddresses, std::string> node_addresses(
    const Config& config, std::span<const InterfaceAddress> interfaces) {
  NodeAddresses addresses;
  const auto bind = resolve_endpoint(config.bind);
  if (!bind) return std::unexpected("Invalid bind address: " + bind.error());
  addresses.bind = *bind;
  if (!config.advertise.empty()) {
    const auto advertise = resolve_endpoint(config.advertise);
    if (!advertise) return std::unexpected("Invalid advertise address: " + advertise.error());
    addresses.advertise = *advertise;
  }
  if (config.interface.empty()) return addresses;

  std::vector<IpAddress> own;
  for (const InterfaceAddress& entry : interfaces) {
    if (entry.interface == config.interface) own.push_back(entry.address);
  }
  if (own.empty() && if_nametoindex(config.interface.c_str()) == 0) {
    return std::unexpected("Invalid network interface: " + config.interface +
                           ": no such network interface");
  }
  if (is_any_ipv4(addresses.bind.address)) {
    std::erase_if(own, [](const IpAddress& address) { return io::is_link_local(address); });
    if (own.empty()) {
      return std::unexpected("Interface '" + config.interface + "' has no addresses");
    }
    addresses.bind.address = own.front();
    addresses.note =
        "Using interface '" + config.interface + "' address '" + format_address(own.front()) + "'";
  } else if (std::ranges::find(own, addresses.bind.address) == own.end()) {
    return std::unexpected("Interface '" + config.interface + "' has no '" +
                           format_address(addresses.bind.address) + "' address");
  }
  return addresses;
}

std::expected<Endpoint, std::string> advertised(const NodeAddresses& addresses,
                                                const Endpoint& bound,
                                                std::span<const InterfaceAddress> interfaces) {
  if (addresses.advertise) return *addresses.advertise;
  if (!is_any_ipv4(bound.address)) return bound;
  std::vector<IpAddress> candidates;
  if (const auto source = default_source()) candidates.push_back(*source);
  for (const InterfaceAddress& entry : interfaces) candidates.push_back(entry.address);
  const auto found = std::ranges::find_if(candidates, is_private_ipv4);
  if (found == candidates.end()) {
    return std::unexpected(
        "no private IP address found: say what to advertise with -advertise or where to bind with "
        "-bind");
  }
  return Endpoint{mapped(*found), bound.port};
}

}  // namespace starling::agent
