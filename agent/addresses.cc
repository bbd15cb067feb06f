#include "agent/addresses.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace starling::agent {
namespace {

constexpr std::array<std::byte, 12> mapped_prefix{
    std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0},    std::byte{0},
    std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0xff}, std::byte{0xff}};

// The last four bytes of an IPv4 address in either form; empty for IPv6.
Bytes ipv4_part(const IpAddress& address) {
  const Bytes raw = address.bytes();
  if (raw.size() == 4) return raw;
  if (raw.size() == 16 && equal(raw.first(12), mapped_prefix)) return raw.subspan(12);
  return {};
}

Bytes bytes_of(const auto& value) {
  return std::as_bytes(std::span(&value, 1));
}

}  // namespace

std::string format_address(const IpAddress& address) {
  if (address.empty()) return "<nil>";
  std::array<char, INET6_ADDRSTRLEN> text{};
  const Bytes ipv4 = ipv4_part(address);
  const Bytes raw = ipv4.empty() ? address.bytes() : ipv4;
  inet_ntop(ipv4.empty() ? AF_INET6 : AF_INET, raw.data(), text.data(), text.size());
  return text.data();
}

std::string format_endpoint(const Endpoint& endpoint) {
  const std::string port = ":" + std::to_string(endpoint.port);
  if (endpoint.address.empty()) return port;
  const std::string host = format_address(endpoint.address);
  return ipv4_part(endpoint.address).empty() ? "[" + host + "]" + port : host + port;
}

std::optional<IpAddress> parse_address(std::string_view text) {
  const std::string terminated(text);
  in_addr v4{};
  if (inet_pton(AF_INET, terminated.c_str(), &v4) == 1) return IpAddress(bytes_of(v4));
  in6_addr v6{};
  if (inet_pton(AF_INET6, terminated.c_str(), &v6) == 1) return IpAddress(bytes_of(v6));
  return std::nullopt;
}

std::expected<HostPort, std::string> split_host_port(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return std::unexpected("address " + std::string(text) + ": " + std::string(why));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("missing port in address");
  std::string_view host = text.substr(0, colon);
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return wrong("missing ']' in address");
    if (end + 1 == text.size()) return wrong("missing port in address");
    if (end + 1 != colon) {
      return wrong(text[end + 1] == ':' ? "too many colons in address" : "missing port in address");
    }
    host = text.substr(1, end - 1);
  } else if (host.find(':') != std::string_view::npos) {
    return wrong("too many colons in address");
  }
  if (host.find_first_of("[]") != std::string_view::npos) {
    return wrong("unexpected bracket in address");
  }
  return HostPort{std::string(host), std::string(text.substr(colon + 1))};
}

std::expected<HostPort, std::string> split_with_default(std::string_view text,
                                                        std::uint16_t default_port) {
  const std::string port = std::to_string(default_port);
  if (parse_address(text)) return HostPort{std::string(text), port};
  if (text.starts_with('[') && text.ends_with(']')) {
    return HostPort{std::string(text.substr(1, text.size() - 2)), port};
  }
  if (text.find(':') == std::string_view::npos) return HostPort{std::string(text), port};
  return split_host_port(text);
}

std::expected<std::uint16_t, std::string> parse_port(std::string_view text) {
  unsigned value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || at != text.data() + text.size() || value > UINT16_MAX) {
    return std::unexpected("address " + std::string(text) + ": invalid port");
  }
  return static_cast<std::uint16_t>(value);
}

std::expected<std::vector<IpAddress>, std::string> resolve(std::string_view host) {
  if (const std::optional<IpAddress> literal = parse_address(host)) return std::vector{*literal};
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const std::string name(host);
  const int problem =
      name.empty() ? EAI_NONAME : getaddrinfo(name.c_str(), nullptr, &hints, &found);
  if (problem != 0) {
    const bool unknown = problem == EAI_NONAME || problem == EAI_NODATA;
    return std::unexpected("lookup " + name + ": " +
                           (unknown ? "no such host" : gai_strerror(problem)));
  }
  std::vector<IpAddress> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    sockaddr_storage storage{};
    std::memcpy(&storage, entry->ai_addr, std::min<std::size_t>(entry->ai_addrlen, sizeof storage));
    const IpAddress address = from_socket_address(storage).address;
    if (address.empty() || std::ranges::find(addresses, address) != addresses.end()) continue;
    addresses.push_back(address);
  }
  freeaddrinfo(found);
  if (addresses.empty()) return std::unexpected("lookup " + name + ": no such host");
  return addresses;
}

std::expected<JoinTarget, std::string> resolve_join_target(std::string_view text,
                                                           std::uint16_t default_port) {
  JoinTarget target{.text = std::string(text), .node_name = {}, .endpoints = {}};
  std::string_view place = text;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    target.node_name = text.substr(0, slash);
    place = text.substr(slash + 1);
    if (target.node_name.empty()) return std::unexpected("empty node name provided");
  }
  const auto parts = split_with_default(place, default_port);
  if (!parts) return std::unexpected(parts.error());
  const auto port = parse_port(parts->port);
  if (!port) return std::unexpected(port.error());
  const auto addresses = resolve(parts->host);
  if (!addresses) return std::unexpected(addresses.error());
  for (const IpAddress& address : *addresses) target.endpoints.push_back({address, *port});
  return target;
}

unsigned to_socket_address(const Endpoint& endpoint, sockaddr_storage& out) {
  out = {};
  const Bytes ipv4 = ipv4_part(endpoint.address);
  if (!ipv4.empty()) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    std::memcpy(&address.sin_addr, ipv4.data(), ipv4.size());
    std::memcpy(&out, &address, sizeof address);
    return sizeof address;
  }
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(endpoint.port);
  const Bytes raw = endpoint.address.bytes();
  if (!raw.empty()) std::memcpy(&address.sin6_addr, raw.data(), raw.size());
  std::memcpy(&out, &address, sizeof address);
  return sizeof address;
}

Endpoint from_socket_address(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return {IpAddress(bytes_of(v4.sin_addr)), ntohs(v4.sin_port)};
  }
  if (address.ss_family != AF_INET6) return {};
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof v6);
  return {IpAddress(bytes_of(v6.sin6_addr)), ntohs(v6.sin6_port)};
}

}  // namespace starling::agent
