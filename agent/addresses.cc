#include "agent/addresses.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <netdb.h>
#include <sys/socket.h>

#include "agent/srv_lookup.h"
#include "io/address.h"

namespace starling::agent {

std::string format_address(const IpAddress& address) {
  if (address.empty()) return "<nil>";
  return io::to_text(io::unmapped(address));
}

std::string format_endpoint(const Endpoint& endpoint) {
  if (endpoint.address.empty()) return ":" + std::to_string(endpoint.port);
  return io::to_text(Endpoint{io::unmapped(endpoint.address), endpoint.port});
}

std::optional<IpAddress> parse_address(std::string_view text) {
  const auto parsed = io::address_from(text);
  if (!parsed || parsed->zone != io::Zone::none) return std::nullopt;
  return parsed->endpoint.address;
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
    const IpAddress address = io::to_endpoint(storage).address;
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
  if (is_service_name(parts->host)) {
    const auto places = look_up_service(parts->host);
    if (!places) return std::unexpected(places.error());
    std::string problem;
    for (const ServicePlace& each : *places) {
      const auto found = resolve(each.host);
      if (!found) problem = found.error();
      for (const IpAddress& address : found.value_or(std::vector<IpAddress>{})) {
        target.endpoints.push_back({address, each.port});
      }
    }
    if (target.endpoints.empty()) return std::unexpected(problem);
    return target;
  }
  const auto addresses = resolve(parts->host);
  if (!addresses) return std::unexpected(addresses.error());
  for (const IpAddress& address : *addresses) target.endpoints.push_back({address, *port});
  return target;
}

}  // namespace starling::agent
