#include "io/dpdk/discovery.h"

namespace starling::io {

namespace {

constexpr std::size_t arp_bytes = 28;
constexpr std::uint16_t arp_request = 1, arp_reply = 2;
constexpr unsigned solicitation = 135, advertisement = 136;
constexpr std::size_t icmp = ethernet_bytes + ipv6_bytes;
constexpr std::size_t target = icmp + 8;
constexpr std::size_t option = target + 16;
constexpr std::size_t with_option_bytes = 32;  // of ICMPv6: 8, the target, and 8 of the option
constexpr unsigned source_link = 1, target_link = 2;

std::size_t write_arp(MutableBytes room, std::uint16_t operation, const Neighbour& own,
                      const Neighbour& other, const MacAddress& to) {
  const MutableBytes frame = room.first(ethernet_bytes + arp_bytes);
  put_bytes(frame, 0, to.octets);
  put_bytes(frame, 6, own.mac.octets);
  put_big16(frame, 12, ethertype_arp);
  put_big16(frame, 14, 1);  // Ethernet
  put_big16(frame, 16, ethertype_ipv4);
  put_big16(frame, 18, 0x0604);  // lengths of the two kinds of address
  put_big16(frame, 20, operation);
  put_bytes(frame, 22, own.mac.octets);
  put_bytes(frame, 28, own.address.bytes());
  put_bytes(frame, 32, other.mac.octets);
  put_bytes(frame, 38, other.address.bytes());
  return frame.size();
}

struct Neighbourly {
  unsigned type;
  std::byte flags;
  unsigned option_kind;
  MacAddress to_mac;
  IpAddress to;
  IpAddress about;
};

std::size_t write_icmp(MutableBytes room, const Neighbour& own, const Neighbourly& what) {
  const MutableBytes frame = room.first(icmp + with_option_bytes);
  constexpr std::size_t ip = ethernet_bytes;
  put_bytes(frame, 0, what.to_mac.octets);
  put_bytes(frame, 6, own.mac.octets);
  put_big16(frame, 12, ethertype_ipv6);
  put_big16(frame, ip, 0x6000);
  put_big16(frame, ip + 2, 0);
  put_big16(frame, ip + 4, with_option_bytes);
  put_big16(frame, ip + 6, protocol_icmpv6 << 8 | 255);
  put_bytes(frame, ip + 8, own.address.bytes());
  put_bytes(frame, ip + 24, what.to.bytes());
  std::fill(frame.begin() + icmp, frame.end(), std::byte{0});
  frame[icmp] = static_cast<std::byte>(what.type);
  frame[icmp + 4] = what.flags;
  put_bytes(frame, target, what.about.bytes());
  frame[option] = static_cast<std::byte>(what.option_kind);
  frame[option + 1] = std::byte{1};  // in units of 8 bytes
  put_bytes(frame, option + 2, own.mac.octets);
  const std::uint16_t sum =
      pseudo_header_sum(own.address.bytes(), what.to.bytes(), protocol_icmpv6, with_option_bytes)
          .add(frame.subspan(icmp))
          .checksum();
  std::memcpy(frame.data() + icmp + 2, &sum, sizeof sum);
  return frame.size();
}

std::optional<Discovered> read_arp(Bytes frame, const Neighbour& own) {
  if (frame.size() < ethernet_bytes + arp_bytes) return std::nullopt;
  if (big16(frame, 14) != 1 || big16(frame, 16) != ethertype_ipv4 || big16(frame, 18) != 0x0604) {
    return std::nullopt;
  }
  Discovered found;
  const Neighbour sender{IpAddress(frame.subspan(28, 4)), mac_at(frame, 22)};
  // A probe for a free address has no sender yet (RFC 5227).
  const bool named = !equal(sender.address.bytes(), std::array<std::byte, 4>{});
  if (named && !sender.mac.group()) found.sender = sender;
  found.asks_for_us = big16(frame, 20) == arp_request && found.sender &&
                      equal(frame.subspan(38, 4), own.address.bytes());
  return found;
}

std::optional<Discovered> read_icmp(Bytes frame, const Neighbour& own) {
  constexpr std::size_t ip = ethernet_bytes;
  const std::size_t length = big16(frame, ip + 4);
  if (frame.size() < icmp + length || length < 24) return std::nullopt;
  // 255 proves that no router passed it on.
  if (std::to_integer<unsigned>(frame[ip + 7]) != 255) return std::nullopt;
  const Bytes source = frame.subspan(ip + 8, 16), message = frame.subspan(icmp, length);
  const std::uint16_t sum =
      pseudo_header_sum(source, frame.subspan(ip + 24, 16), protocol_icmpv6, length)
          .add(message)
          .folded();
  if (sum != 0xffff) return std::nullopt;

  const bool asks = std::to_integer<unsigned>(message[0]) == solicitation;
  const Bytes about = frame.subspan(target, 16);
  std::optional<MacAddress> mac;
  for (std::size_t at = 24; at + 8 <= length;) {
    const std::size_t bytes = std::to_integer<std::size_t>(message[at + 1]) * 8;
    if (bytes == 0 || at + bytes > length) return std::nullopt;
    const auto kind = std::to_integer<unsigned>(message[at]);
    if (kind == (asks ? source_link : target_link)) mac = mac_at(message, at + 2);
    at += bytes;
  }
  Discovered found;
  const bool named = !equal(source, std::array<std::byte, 16>{});
  if (asks && named) found.sender = {IpAddress(source), mac.value_or(mac_at(frame, 6))};
  if (!asks && mac) found.sender = {IpAddress(about), *mac};
  if (found.sender && found.sender->mac.group()) found.sender.reset();
  found.asks_for_us = asks && found.sender && equal(about, own.address.bytes());
  return found;
}

}  // namespace

std::size_t write_request(MutableBytes room, const Neighbour& own, const IpAddress& wanted) {
  CHECK(own.address.bytes().size() == wanted.bytes().size());
  if (wanted.bytes().size() == 4) {
    return write_arp(room, arp_request, own, {wanted, MacAddress{}}, mac_broadcast);
  }
  // The solicited-node address, ff02::1:ffXX:XXXX, and the group MAC that belongs to it.
  std::array<std::byte, 16> group{};
  group[0] = std::byte{0xff};
  group[1] = std::byte{2};
  group[11] = std::byte{1};
  group[12] = std::byte{0xff};
  MacAddress mac{{std::byte{0x33}, std::byte{0x33}, std::byte{0xff}}};
  for (std::size_t i = 13; i < 16; ++i) group[i] = mac.octets[i - 10] = wanted.bytes()[i];
  return write_icmp(room, own,
                    {.type = solicitation,
                     .flags = std::byte{0},
                     .option_kind = source_link,
                     .to_mac = mac,
                     .to = IpAddress(group),
                     .about = wanted});
}

std::optional<Discovered> read_discovery(Bytes frame, const Neighbour& own) {
  if (frame.size() < ethernet_bytes) return std::nullopt;
  if (big16(frame, 12) == ethertype_arp) return read_arp(frame, own);
  if (parse_frame(frame, {}).kind != FrameKind::neighbour_discovery) return std::nullopt;
  return read_icmp(frame, own);
}

std::size_t write_answer(MutableBytes room, const Neighbour& own, const Neighbour& asker) {
  if (own.address.bytes().size() == 4) return write_arp(room, arp_reply, own, asker, asker.mac);
  return write_icmp(room, own,
                    {.type = advertisement,
                     .flags = std::byte{0x60},  // asked for, and overriding
                     .option_kind = target_link,
                     .to_mac = asker.mac,
                     .to = asker.address,
                     .about = own.address});
}

}  // namespace starling::io
