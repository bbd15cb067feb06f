#include "agent/decode/frames.h"

#include <pcap/dlt.h>

#include "wire/base/bytes.h"

namespace starling::agent::decode {
namespace {

constexpr std::uint16_t ether_ipv4 = 0x0800;
constexpr std::uint16_t ether_ipv6 = 0x86dd;
constexpr std::size_t vlan_tags_max = 2;
constexpr std::size_t extension_headers_max = 8;
constexpr std::uint8_t protocol_tcp = 6;
constexpr std::uint8_t protocol_udp = 17;

bool is_vlan(std::uint16_t type) {
  return type == 0x8100 || type == 0x88a8;
}

// The transport header is at the front of `in`; `announced` bytes of it and its payload were sent.
void read_transport(Reader& in, std::uint8_t protocol, std::size_t announced, Packet& packet) {
  if (protocol != protocol_udp && protocol != protocol_tcp) return;
  const bool udp = protocol == protocol_udp;
  in.set_layer(udp ? "udp" : "tcp");
  const std::size_t start = in.offset();
  packet.source.port = in.u16();
  packet.destination.port = in.u16();
  if (udp) {
    const std::size_t length = in.u16();
    in.skip(2);
    if (length != 0) announced = std::min(announced, length);  // 0: a jumbogram, or offloaded
  } else {
    packet.tcp.sequence = in.u32();
    in.skip(4);
    const std::size_t header_bytes = 4UL * (in.u8() >> 4);
    const std::uint8_t flags = in.u8();
    packet.tcp.fin = (flags & 0x01) != 0;
    packet.tcp.syn = (flags & 0x02) != 0;
    packet.tcp.reset = (flags & 0x04) != 0;
    in.set_field("data offset");
    if (in.ok() && header_bytes < 20) in.fail(WireFault::malformed);
    in.skip(6);
    if (in.ok()) in.skip(header_bytes - 20);
  }
  if (!in.ok()) return;
  packet.kind = udp ? Packet::Kind::udp : Packet::Kind::tcp;
  const std::size_t header_bytes = in.offset() - start;
  in.set_field("length");
  if (announced < header_bytes) return in.fail(WireFault::malformed);
  const std::size_t payload_bytes = announced - header_bytes;
  packet.cut_short = payload_bytes > in.left();
  packet.payload = in.take(std::min(payload_bytes, in.left()));
}

void read_ipv4(Reader& in, Packet& packet) {
  in.set_layer("ipv4");
  const std::size_t header_bytes = 4UL * (in.u8() & 15U);
  in.skip(1);
  std::size_t announced = in.u16();
  in.skip(2);
  const std::uint16_t fragment = in.u16();
  in.skip(1);
  const std::uint8_t protocol = in.u8();
  in.skip(2);
  packet.source.address = IpAddress(in.take(4));
  packet.destination.address = IpAddress(in.take(4));
  in.set_field("header length");
  if (in.ok() && header_bytes < 20) in.fail(WireFault::malformed);
  if (in.ok()) in.skip(header_bytes - 20);
  if (!in.ok()) return;
  if (announced == 0) announced = header_bytes + in.left();  // left to the network card
  in.set_field("total length");
  if (announced < header_bytes) return in.fail(WireFault::malformed);
  packet.fragment = (fragment & 0x2000) != 0;
  if ((fragment & 0x1fff) != 0) {
    packet.kind = Packet::Kind::later_fragment;
    return;
  }
  read_transport(in, protocol, announced - header_bytes, packet);
}

void read_ipv6(Reader& in, Packet& packet) {
  in.set_layer("ipv6");
  in.skip(4);
  std::size_t announced = in.u16();
  std::uint8_t next = in.u8();
  in.skip(1);
  packet.source.address = IpAddress(in.take(16));
  packet.destination.address = IpAddress(in.take(16));
  if (!in.ok()) return;
  if (announced == 0) announced = in.left();
  const std::size_t start = in.offset();
  for (std::size_t headers = 0; headers < extension_headers_max && in.ok(); ++headers) {
    const std::uint8_t header = next;
    if (header == 44) {
      next = in.u8();
      in.skip(1);
      const std::uint16_t place = in.u16();
      in.skip(4);
      packet.fragment = (place & 1) != 0;
      if ((place & 0xfff8) != 0) {
        packet.kind = Packet::Kind::later_fragment;
        return;
      }
    } else if (header == 0 || header == 43 || header == 60) {
      next = in.u8();
      const std::size_t units = in.u8();
      in.skip(6 + 8 * units);
    } else {
      break;
    }
  }
  const std::size_t extensions = in.offset() - start;
  in.set_field("payload length");
  if (in.ok() && announced < extensions) in.fail(WireFault::malformed);
  if (in.ok()) read_transport(in, next, announced - extensions, packet);
}

void read_ip_by_version(Reader& in, Packet& packet) {
  if (in.left() == 0) {
    in.set_layer("ip");
    in.fail(WireFault::truncated);
    return;
  }
  const auto version = std::to_integer<unsigned>(in.rest()[0]) >> 4;
  if (version == 4) read_ipv4(in, packet);
  if (version == 6) read_ipv6(in, packet);
}

void read_by_ether_type(Reader& in, std::uint16_t type, Packet& packet) {
  for (std::size_t tags = 0; tags < vlan_tags_max && is_vlan(type); ++tags) {
    in.skip(2);
    type = in.u16();
  }
  if (!in.ok()) return;
  if (type == ether_ipv4) read_ipv4(in, packet);
  if (type == ether_ipv6) read_ipv6(in, packet);
}

}  // namespace

bool is_known_link(int link_type) {
  switch (link_type) {
    case DLT_EN10MB:
    case DLT_LINUX_SLL:
    case DLT_LINUX_SLL2:
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
    case DLT_NULL:
    case DLT_LOOP:
      return true;
    default:
      return false;
  }
}

Decoded<Packet> parse_frame(int link_type, Bytes frame) {
  Packet packet;
  Reader in(frame, "link");
  switch (link_type) {
    case DLT_EN10MB:
      in.skip(12);
      read_by_ether_type(in, in.u16(), packet);
      break;
    case DLT_LINUX_SLL:
      in.skip(14);
      read_by_ether_type(in, in.u16(), packet);
      break;
    case DLT_LINUX_SLL2: {
      const std::uint16_t type = in.u16();
      in.skip(18);
      read_by_ether_type(in, type, packet);
      break;
    }
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
      read_ip_by_version(in, packet);
      break;
    // The family's number depends on the system that captured; the IP version says the same.
    case DLT_NULL:
    case DLT_LOOP:
      in.skip(4);
      if (in.ok()) read_ip_by_version(in, packet);
      break;
    default:
      in.fail(WireFault::unsupported);
      break;
  }
  if (!in.ok()) return std::unexpected(in.error());
  return packet;
}

}  // namespace starling::agent::decode
