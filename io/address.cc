#include "io/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <array>
#include <charconv>
#include <cstring>

namespace starling::io {

namespace {

constexpr std::size_t mapped_prefix_bytes = 12;  // ten zeros and ff ff

IpAddress mapped(const IpAddress& ipv4) {
  std::array<std::byte, 16> raw{};
  raw[10] = raw[11] = std::byte{0xff};
  std::memcpy(raw.data() + mapped_prefix_bytes, ipv4.bytes().data(), 4);
  return IpAddress(raw);
}

template <class Number>
std::optional<Number> number_from(std::string_view text) {
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

std::optional<Zone> zone_from(std::string_view text) {
  if (text.empty() || text.size() >= IF_NAMESIZE) return std::nullopt;
  if (const auto number = number_from<std::uint32_t>(text)) return Zone{*number};
  const std::uint32_t index = ::if_nametoindex(std::string(text).c_str());
  if (index == 0) return std::nullopt;
  return Zone{index};
}

}  // namespace

bool is_mapped_ipv4(const IpAddress& address) {
  const Bytes raw = address.bytes();
  if (raw.size() != 16) return false;
  for (std::size_t i = 0; i < 10; ++i) {
    if (raw[i] != std::byte{0}) return false;
  }
  return raw[10] == std::byte{0xff} && raw[11] == std::byte{0xff};
}

IpAddress unmapped(const IpAddress& address) {
  return is_mapped_ipv4(address) ? IpAddress(address.bytes().subspan(mapped_prefix_bytes))
                                 : address;
}

bool is_link_local(const IpAddress& address) {
  const Bytes raw = address.bytes();
  return raw.size() == 16 && raw[0] == std::byte{0xfe} &&
         (raw[1] & std::byte{0xc0}) == std::byte{0x80};
}

int family_of(const IpAddress& address) {
  return unmapped(address).bytes().size() == 4 ? AF_INET : AF_INET6;
}

bool to_socket_address(const Endpoint& endpoint, int family, Zone zone, SocketAddress& out) {
  if (endpoint.address.empty()) return false;
  if (family == AF_INET) {
    const IpAddress address = unmapped(endpoint.address);
    if (address.bytes().size() != 4) return false;
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(endpoint.port);
    std::memcpy(&in.sin_addr, address.bytes().data(), 4);
    std::memcpy(&out.storage, &in, sizeof in);
    out.bytes = sizeof in;
    return true;
  }
  const bool ipv4 = endpoint.address.bytes().size() == 4;
  const IpAddress address = ipv4 ? mapped(endpoint.address) : endpoint.address;
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(endpoint.port);
  if (is_link_local(address)) in.sin6_scope_id = static_cast<std::uint32_t>(zone);
  std::memcpy(&in.sin6_addr, address.bytes().data(), 16);
  std::memcpy(&out.storage, &in, sizeof in);
  out.bytes = sizeof in;
  return true;
}

Endpoint to_endpoint(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, &address, sizeof in);
    return {IpAddress(std::as_bytes(std::span(&in.sin_addr, 1))), ntohs(in.sin_port)};
  }
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 in;
    std::memcpy(&in, &address, sizeof in);
    const IpAddress raw(std::as_bytes(std::span(&in.sin6_addr, 1)));
    return {unmapped(raw), ntohs(in.sin6_port)};
  }
  return {};
}

std::string to_text(const IpAddress& address) {
  const Bytes raw = address.bytes();
  if (raw.empty()) return "";
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = raw.size() == 4 ? AF_INET : AF_INET6;
  ::inet_ntop(family, raw.data(), text.data(), text.size());
  return text.data();
}

std::string to_text(const Endpoint& endpoint) {
  const std::string port = std::to_string(endpoint.port);
  if (endpoint.address.bytes().size() == 16) return "[" + to_text(endpoint.address) + "]:" + port;
  return to_text(endpoint.address) + ":" + port;
}

std::optional<ZonedEndpoint> address_from(std::string_view text) {
  ZonedEndpoint result;
  if (const std::size_t percent = text.find('%'); percent != std::string_view::npos) {
    const std::optional<Zone> zone = zone_from(text.substr(percent + 1));
    if (!zone) return std::nullopt;
    result.zone = *zone;
    text = text.substr(0, percent);
  }
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  const std::string terminated(text);
  std::array<std::byte, 16> raw{};
  if (::inet_pton(AF_INET, terminated.c_str(), raw.data()) == 1) {
    if (result.zone != Zone::none) return std::nullopt;
    result.endpoint.address = IpAddress(Bytes(raw).first(4));
    return result;
  }
  if (::inet_pton(AF_INET6, terminated.c_str(), raw.data()) != 1) return std::nullopt;
  result.endpoint.address = IpAddress(raw);
  return result;
}

std::optional<ZonedEndpoint> endpoint_from(std::string_view text, std::uint16_t port_default) {
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return std::nullopt;
    host = text.substr(1, bracket - 1);
    const std::string_view tail = text.substr(bracket + 1);
    if (!tail.empty() && tail[0] != ':') return std::nullopt;
    has_port = !tail.empty();
    if (has_port) port = tail.substr(1);
    if (host.find(':') == std::string_view::npos) return std::nullopt;
  } else if (const std::size_t colon = text.find(':');
             colon != std::string_view::npos &&
             text.find(':', colon + 1) == std::string_view::npos) {
    // One colon alone cannot be IPv6.
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  std::optional<ZonedEndpoint> result = address_from(host);
  if (!result) return std::nullopt;
  result->endpoint.port = port_default;
  if (!has_port) return result;
  const std::optional<std::uint16_t> number = number_from<std::uint16_t>(port);
  if (!number) return std::nullopt;
  result->endpoint.port = *number;
  return result;
}

}  // namespace starling::io
