// Headers: Ethernet, IPv4, IPv6 and UDP as bytes, both ways.
//
// Parsing trusts nothing: every length is held against the frame. Building writes all headers of a
// datagram at once, in front of its payload. Pure functions over bytes, without a DPDK type, inline
// because they run for every packet. RFC 791, 768, 8200, 1071.
#pragma once

#include <array>
#include <bit>
#include <cstring>

#include "wire/base/check.h"
#include "wire/base/types.h"

namespace starling::io {

struct MacAddress {
  std::array<std::byte, 6> octets{};
  // The group bit: broadcast and multicast.
  bool group() const { return (octets[0] & std::byte{1}) != std::byte{0}; }
  friend bool operator==(const MacAddress&, const MacAddress&) = default;
};
constexpr MacAddress mac_broadcast{{std::byte{0xff}, std::byte{0xff}, std::byte{0xff},
                                    std::byte{0xff}, std::byte{0xff}, std::byte{0xff}}};

constexpr std::size_t ethernet_bytes = 14;
constexpr std::size_t ipv4_bytes = 20;
constexpr std::size_t ipv6_bytes = 40;
constexpr std::size_t udp_bytes = 8;
constexpr std::size_t headers_bytes_max = ethernet_bytes + ipv6_bytes + udp_bytes;

constexpr std::uint16_t ethertype_ipv4 = 0x0800;
constexpr std::uint16_t ethertype_arp = 0x0806;
constexpr std::uint16_t ethertype_ipv6 = 0x86dd;
constexpr std::uint8_t protocol_udp = 17;
constexpr std::uint8_t protocol_icmpv6 = 58;

// Big-endian integers at a place that the caller knows to be inside.
inline std::uint16_t big16(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[at]) << 8 |
                                    std::to_integer<unsigned>(bytes[at + 1]));
}
inline void put_big16(MutableBytes bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::byte>(value >> 8);
  bytes[at + 1] = static_cast<std::byte>(value & 0xff);
}
inline void put_bytes(MutableBytes bytes, std::size_t at, Bytes value) {
  std::memcpy(bytes.data() + at, value.data(), value.size());
}
inline MacAddress mac_at(Bytes bytes, std::size_t at) {
  MacAddress mac;
  std::memcpy(mac.octets.data(), bytes.data() + at, mac.octets.size());
  return mac;
}

// The Internet checksum's running sum (RFC 1071). It does not depend on the order of bytes, so the
// machine's own words are added and the result is stored as it is.
class InternetSum {
 public:
  // Only the last piece may have an odd length.
  InternetSum& add(Bytes bytes) {
    const std::byte* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; left -= 8, at += 8) {
      std::uint64_t word;
      std::memcpy(&word, at, 8);
      add_word(word);
    }
    std::uint64_t tail = 0;
    if (left > 0) std::memcpy(&tail, at, left);
    add_word(tail);
    return *this;
  }
  InternetSum& add_big16(std::uint16_t value) {
    std::array<std::byte, 2> raw;
    put_big16(raw, 0, value);
    return add(raw);
  }
  std::uint16_t folded() const {
    std::uint64_t sum = (sum_ & 0xffffffff) + (sum_ >> 32);
    for (int i = 0; i < 3; ++i) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
  }
  // What goes into the header, in the machine's order.
  std::uint16_t checksum() const { return static_cast<std::uint16_t>(~folded()); }

 private:
  void add_word(std::uint64_t word) {
    // The carry goes round to the lowest bit.
    const bool carry = __builtin_add_overflow(sum_, word, &sum_);
    sum_ += carry;
  }
  std::uint64_t sum_ = 0;
};

// The part of a UDP or ICMPv6 checksum that comes from the addresses.
inline InternetSum pseudo_header_sum(Bytes source, Bytes destination, std::uint8_t protocol,
                                     std::size_t bytes) {
  InternetSum sum;
  sum.add(source).add(destination).add_big16(protocol);
  return sum.add_big16(static_cast<std::uint16_t>(bytes));
}

// What a frame is to a port.
enum class FrameKind : std::uint8_t {
  datagram,             // UDP to our address and port
  arp,                  // RFC 826
  neighbour_discovery,  // ICMPv6 solicitation or advertisement, RFC 4861
  fragment,             // a piece of a datagram to us: nobody here puts them together
  other,                // something for somebody else, or for the kernel
  bad,                  // lengths or checksum contradict each other
};

struct Frame {
  FrameKind kind = FrameKind::bad;
  Endpoint from;           // of a datagram
  Bytes payload;           // of a datagram
  std::size_t offset = 0;  // of the payload in the frame
};

// Whom a port listens for.
struct LocalAddress {
  MacAddress mac;
  IpAddress address;  // empty, or all zeros: any address of `mac`
  std::uint16_t port = 0;
  bool any = false;        // set by from(); the address is a wildcard
  bool only_ipv4 = false;  // "0.0.0.0" does not take IPv6

  static LocalAddress from(const MacAddress& mac, const Endpoint& bound) {
    LocalAddress local{.mac = mac, .address = bound.address, .port = bound.port};
    local.any = true;
    for (const std::byte octet : bound.address.bytes()) local.any &= octet == std::byte{0};
    local.only_ipv4 = bound.address.bytes().size() == 4;
    return local;
  }
  bool is(Bytes destination) const {
    if (any) return destination.size() == 4 || !only_ipv4;
    return equal(address.bytes(), destination);
  }
};

inline Frame parse_udp(Bytes frame, std::size_t at, std::size_t bytes, Bytes source) {
  if (bytes < udp_bytes) return {};
  const std::size_t udp_length = big16(frame, at + 4);
  if (udp_length < udp_bytes || udp_length > bytes) return {};
  return {.kind = FrameKind::datagram,
          .from = {IpAddress(source), big16(frame, at)},
          .payload = frame.subspan(at + udp_bytes, udp_length - udp_bytes),
          .offset = at + udp_bytes};
}

inline Frame parse_ipv4(Bytes frame, const LocalAddress& local) {
  constexpr std::size_t ip = ethernet_bytes;
  if (frame.size() < ip + ipv4_bytes) return {};
  const auto first = std::to_integer<unsigned>(frame[ip]);
  const std::size_t header = (first & 0xf) * 4;
  const std::size_t total = big16(frame, ip + 2);
  if (first >> 4 != 4 || header < ipv4_bytes || total < header || frame.size() < ip + total) {
    return {};
  }
  if (InternetSum().add(frame.subspan(ip, header)).folded() != 0xffff) return {};
  const Bytes source = frame.subspan(ip + 12, 4), destination = frame.subspan(ip + 16, 4);
  const bool for_us = mac_at(frame, 0) == local.mac && local.is(destination) &&
                      std::to_integer<unsigned>(frame[ip + 9]) == protocol_udp;
  if (!for_us) return {.kind = FrameKind::other};
  const std::uint16_t fragment = big16(frame, ip + 6) & 0x3fff;  // "more follow" and the offset
  if ((fragment & 0x1fff) != 0) return {.kind = FrameKind::other};
  const std::size_t at = ip + header;
  if (total - header < udp_bytes) return {};
  if (big16(frame, at + 2) != local.port) return {.kind = FrameKind::other};
  if (fragment != 0) return {.kind = FrameKind::fragment};
  return parse_udp(frame, at, total - header, source);
}

inline Frame parse_ipv6(Bytes frame, const LocalAddress& local) {
  constexpr std::size_t ip = ethernet_bytes;
  if (frame.size() < ip + ipv6_bytes) return {};
  const std::size_t length = big16(frame, ip + 4);
  if (std::to_integer<unsigned>(frame[ip]) >> 4 != 6 || frame.size() < ip + ipv6_bytes + length) {
    return {};
  }
  const auto next = std::to_integer<std::uint8_t>(frame[ip + 6]);
  const std::size_t at = ip + ipv6_bytes;
  if (next == protocol_icmpv6 && length > 0) {
    const auto type = std::to_integer<unsigned>(frame[at]);
    const bool neighbours = type == 135 || type == 136;
    return {.kind = neighbours ? FrameKind::neighbour_discovery : FrameKind::other};
  }
  const Bytes source = frame.subspan(ip + 8, 16), destination = frame.subspan(ip + 24, 16);
  if (next != protocol_udp || mac_at(frame, 0) != local.mac || !local.is(destination)) {
    return {.kind = FrameKind::other};
  }
  if (length < udp_bytes) return {};
  if (big16(frame, at + 2) != local.port) return {.kind = FrameKind::other};
  return parse_udp(frame, at, length, source);
}

// UDP checksums are not looked at: what a kernel sends over a virtual cable has none yet.
inline Frame parse_frame(Bytes frame, const LocalAddress& local) {
  if (frame.size() < ethernet_bytes) return {};
  switch (big16(frame, 12)) {
    case ethertype_ipv4:
      return parse_ipv4(frame, local);
    case ethertype_ipv6:
      return parse_ipv6(frame, local);
    case ethertype_arp:
      return {.kind = FrameKind::arp};
    default:
      return {.kind = FrameKind::other};
  }
}

// Who finishes a datagram's checksums.
enum class Checksums : std::uint8_t {
  here,      // both are written
  hardware,  // IPv4's is left zero, UDP's holds the pseudo header's sum, as network cards want it
};

struct DatagramRoute {
  MacAddress source_mac, destination_mac;
  IpAddress source, destination;  // of one family
  std::uint16_t source_port = 0, destination_port = 0;
};

// Bytes that stand before the payload.
inline std::size_t headers_bytes(const IpAddress& destination) {
  const bool ipv4 = destination.bytes().size() == 4;
  return ethernet_bytes + (ipv4 ? ipv4_bytes : ipv6_bytes) + udp_bytes;
}

// `frame` is the room for the headers and, behind it, the finished payload; it is at most 65535
// bytes long behind the Ethernet header.
inline void write_headers(MutableBytes frame, const DatagramRoute& route, Checksums checksums) {
  constexpr std::size_t ip = ethernet_bytes;
  const Bytes source = route.source.bytes(), destination = route.destination.bytes();
  const bool ipv4 = destination.size() == 4;
  const std::size_t udp = ip + (ipv4 ? ipv4_bytes : ipv6_bytes);
  CHECK(source.size() == destination.size() && frame.size() >= udp + udp_bytes);
  CHECK(frame.size() - ip <= 0xffff);
  const std::size_t udp_length = frame.size() - udp;
  put_bytes(frame, 0, route.destination_mac.octets);
  put_bytes(frame, 6, route.source_mac.octets);
  put_big16(frame, 12, ipv4 ? ethertype_ipv4 : ethertype_ipv6);
  if (ipv4) {
    put_big16(frame, ip, 0x4500);
    put_big16(frame, ip + 2, static_cast<std::uint16_t>(frame.size() - ip));
    put_big16(frame, ip + 4, 0);       // an identification is for fragments only (RFC 6864)
    put_big16(frame, ip + 6, 0x4000);  // do not fragment
    put_big16(frame, ip + 8, 64 << 8 | protocol_udp);
    put_big16(frame, ip + 10, 0);
    put_bytes(frame, ip + 12, source);
    put_bytes(frame, ip + 16, destination);
    if (checksums == Checksums::here) {
      const std::uint16_t sum = InternetSum().add(frame.subspan(ip, ipv4_bytes)).checksum();
      std::memcpy(frame.data() + ip + 10, &sum, sizeof sum);
    }
  } else {
    put_big16(frame, ip, 0x6000);
    put_big16(frame, ip + 2, 0);
    put_big16(frame, ip + 4, static_cast<std::uint16_t>(udp_length));
    put_big16(frame, ip + 6, protocol_udp << 8 | 64);
    put_bytes(frame, ip + 8, source);
    put_bytes(frame, ip + 24, destination);
  }
  put_big16(frame, udp, route.source_port);
  put_big16(frame, udp + 2, route.destination_port);
  put_big16(frame, udp + 4, static_cast<std::uint16_t>(udp_length));
  put_big16(frame, udp + 6, 0);
  InternetSum sum = pseudo_header_sum(source, destination, protocol_udp, udp_length);
  std::uint16_t checksum = sum.folded();
  if (checksums == Checksums::here) {
    checksum = sum.add(frame.subspan(udp)).checksum();
    if (checksum == 0) checksum = 0xffff;  // zero would mean "none"
  }
  std::memcpy(frame.data() + udp + 6, &checksum, sizeof checksum);
}

}  // namespace starling::io
