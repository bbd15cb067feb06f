// Addresses: Endpoints as the kernel's sockaddr and as text, both ways.
//
// Numeric only; nothing here asks a resolver. Pure functions, any thread.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

#include "wire/base/types.h"

namespace starling::io {

// An address in the form that system calls take.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t bytes = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// The number of a network interface, for link-local IPv6 addresses; 0 is none.
enum class Zone : std::uint32_t { none = 0 };

// An IPv4 address that stands in 16 bytes ("::ffff:1.2.3.4"), as Go peers often send it.
bool is_mapped_ipv4(const IpAddress& address);
// 4 bytes where the address is IPv4 in either form; otherwise unchanged.
IpAddress unmapped(const IpAddress& address);
// fe80::/10: cannot be reached without a zone.
bool is_link_local(const IpAddress& address);

// AF_INET for IPv4 in either form, AF_INET6 otherwise.
int family_of(const IpAddress& address);

// For a socket of `family` (AF_INET or AF_INET6): a mapped address goes over an IPv4 socket as
// IPv4, and IPv4 goes over an IPv6 socket as a mapped address. False when there is no way (IPv6
// over an IPv4 socket, an empty address). `zone` is used for link-local addresses only.
bool to_socket_address(const Endpoint& endpoint, int family, Zone zone, SocketAddress& out);
// IPv4 always in 4 bytes. An empty Endpoint for other families.
Endpoint to_endpoint(const sockaddr_storage& address);

// "1.2.3.4:7946", "[::1]:7946".
std::string to_text(const Endpoint& endpoint);
std::string to_text(const IpAddress& address);

struct ZonedEndpoint {
  Endpoint endpoint;
  Zone zone = Zone::none;
};
// "1.2.3.4", "::1", "fe80::1%eth0" (an interface's name or number). nullopt for anything else.
std::optional<ZonedEndpoint> address_from(std::string_view text);
// "1.2.3.4:7946", "[::1]:7946", "[fe80::1%eth0]:7946"; with no port, `port_default`.
std::optional<ZonedEndpoint> endpoint_from(std::string_view text, std::uint16_t port_default);

}  // namespace starling::io
