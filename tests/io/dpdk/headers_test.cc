#include "io/dpdk/headers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace starling::io {

namespace {

using Packet = std::vector<std::byte>;

MacAddress mac_of(std::uint8_t last) {
  return {{std::byte{2}, {}, {}, {}, {}, std::byte{last}}};
}

IpAddress v6(std::uint8_t last) {
  std::array<std::byte, 16> raw{};
  raw[0] = std::byte{0xfd};
  raw[15] = std::byte{last};
  return IpAddress(raw);
}

const IpAddress a4 = IpAddress::v4(10, 0, 0, 1), b4 = IpAddress::v4(10, 0, 0, 2);

DatagramRoute route(const IpAddress& from, const IpAddress& to) {
  return {.source_mac = mac_of(1),
          .destination_mac = mac_of(2),
          .source = from,
          .destination = to,
          .source_port = 7946,
          .destination_port = 8000};
}

Packet built(const DatagramRoute& way, std::string_view text,
             Checksums checksums = Checksums::here) {
  Packet packet(headers_bytes(way.destination) + text.size());
  put_bytes(packet, packet.size() - text.size(), as_bytes(text));
  write_headers(packet, way, checksums);
  return packet;
}

LocalAddress local(const IpAddress& address) {
  return LocalAddress::from(mac_of(2), {address, 8000});
}

// The sum of words as RFC 1071 defines it, without any cleverness.
std::uint16_t plain_sum(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    sum += std::to_integer<std::uint32_t>(bytes[i]) << 8;
    if (i + 1 < bytes.size()) sum += std::to_integer<std::uint32_t>(bytes[i + 1]);
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

TEST(InternetSum, AgreesWithThePlainSumAtEveryLength) {
  Packet bytes;
  std::uint32_t state = 1;
  for (std::size_t size = 0; size < 200; ++size) {
    EXPECT_EQ(__builtin_bswap16(InternetSum().add(bytes).folded()), plain_sum(bytes)) << size;
    state = state * 1664525 + 1013904223;
    bytes.push_back(static_cast<std::byte>(size % 3 == 0 ? 0xff : state >> 24));
  }
}

TEST(InternetSum, KeepsEveryCarry) {
  const Packet ones(65'535, std::byte{0xff});
  EXPECT_EQ(__builtin_bswap16(InternetSum().add(ones).folded()), plain_sum(ones));
}

TEST(Headers, ADatagramOfAnotherStackAsBytes) {
  // 10.0.0.1:7946 -> 10.0.0.2:8000 "hi", written out by hand from RFC 791 and 768.
  const std::array<std::uint8_t, 44> wanted{
      2,    0,  0, 0,  0, 2,    2,    0,    0,    0,  0,    1,    8,    0,  // Ethernet
      0x45, 0,  0, 30, 0, 0,    0x40, 0,    64,   17, 0x26, 0xcd, 10,   0,   0,
      1,    10, 0, 0,  2, 0x1f, 0x0a, 0x1f, 0x40, 0,  10,   0x45, 0x24, 'h', 'i'};
  const Packet packet = built(route(a4, b4), "hi");
  ASSERT_EQ(packet.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(std::to_integer<int>(packet[i]), wanted[i]) << "at " << i;
  }
}

TEST(Headers, ChecksumsHoldForEveryPayloadLength) {
  for (const bool six : {false, true}) {
    const DatagramRoute way = six ? route(v6(1), v6(2)) : route(a4, b4);
    for (std::size_t size = 0; size < 70; ++size) {
      const Packet packet = built(way, std::string(size, static_cast<char>('a' + size % 26)));
      const std::size_t udp = headers_bytes(way.destination) - udp_bytes;
      Packet covered(way.source.bytes().begin(), way.source.bytes().end());
      covered.insert(covered.end(), way.destination.bytes().begin(), way.destination.bytes().end());
      covered.insert(covered.end(), {std::byte{0}, std::byte{17}, std::byte{0},
                                     static_cast<std::byte>(size + udp_bytes)});
      covered.insert(covered.end(), packet.begin() + static_cast<std::ptrdiff_t>(udp),
                     packet.end());
      EXPECT_EQ(plain_sum(covered), 0xffff) << size;
      EXPECT_NE(big16(packet, udp + 6), 0);
      if (!six) {
        EXPECT_EQ(plain_sum(Bytes(packet).subspan(14, 20)), 0xffff) << size;
      }
    }
  }
}

TEST(Headers, HardwareGetsThePseudoHeadersSumOnly) {
  const Packet packet = built(route(a4, b4), "hi", Checksums::hardware);
  EXPECT_EQ(big16(packet, 24), 0);  // IPv4's
  const std::array<std::uint8_t, 12> pseudo{10, 0, 0, 1, 10, 0, 0, 2, 0, 17, 0, 10};
  EXPECT_EQ(big16(packet, 40), plain_sum(std::as_bytes(std::span(pseudo))));
}

TEST(Headers, WhatIsWrittenIsRead) {
  for (const bool six : {false, true}) {
    const DatagramRoute way = six ? route(v6(1), v6(2)) : route(a4, b4);
    const Packet packet = built(way, "payload");
    for (const IpAddress& address :
         {way.destination, six ? v6(0) : IpAddress::v4(0, 0, 0, 0), IpAddress()}) {
      if (six && address == v6(0)) continue;
      const Frame frame = parse_frame(packet, local(address));
      ASSERT_EQ(frame.kind, FrameKind::datagram);
      EXPECT_EQ(frame.from, (Endpoint{way.source, 7946}));
      EXPECT_EQ(as_text(frame.payload), "payload");
      EXPECT_EQ(frame.offset, headers_bytes(way.destination));
    }
  }
}

TEST(Headers, PaddingBehindAShortDatagramIsNotPayload) {
  Packet packet = built(route(a4, b4), "x");
  packet.resize(60);
  EXPECT_EQ(as_text(parse_frame(packet, local(b4)).payload), "x");
}

TEST(Headers, ADatagramForSomebodyElseIsNotOurs) {
  const Packet packet = built(route(a4, b4), "x");
  const auto kind = [&](const LocalAddress& who) { return parse_frame(packet, who).kind; };
  EXPECT_EQ(kind(LocalAddress::from(mac_of(2), {a4, 8000})), FrameKind::other);
  EXPECT_EQ(kind(LocalAddress::from(mac_of(2), {b4, 8001})), FrameKind::other);
  EXPECT_EQ(kind(LocalAddress::from(mac_of(3), {b4, 8000})), FrameKind::other);
  EXPECT_EQ(kind(LocalAddress::from(mac_of(2), {v6(2), 8000})), FrameKind::other);
  const Packet six = built(route(v6(1), v6(2)), "x");
  EXPECT_EQ(parse_frame(six, local(IpAddress::v4(0, 0, 0, 0))).kind, FrameKind::other);
}

TEST(Headers, OtherKindsAreTold) {
  Packet packet = built(route(a4, b4), "x");
  packet[23] = std::byte{6};  // TCP
  put_big16(packet, 24, 0);
  const std::uint16_t sum = InternetSum().add(Bytes(packet).subspan(14, 20)).checksum();
  std::memcpy(packet.data() + 24, &sum, 2);
  EXPECT_EQ(parse_frame(packet, local(b4)).kind, FrameKind::other);
  put_big16(packet, 12, ethertype_arp);
  EXPECT_EQ(parse_frame(packet, local(b4)).kind, FrameKind::arp);
  put_big16(packet, 12, 0x8100);
  EXPECT_EQ(parse_frame(packet, local(b4)).kind, FrameKind::other);
}

TEST(Headers, FragmentsAreTold) {
  const auto with = [](std::uint16_t field) {
    Packet packet = built(route(a4, b4), "x");
    put_big16(packet, 20, field);
    put_big16(packet, 24, 0);
    const std::uint16_t sum = InternetSum().add(Bytes(packet).subspan(14, 20)).checksum();
    std::memcpy(packet.data() + 24, &sum, 2);
    return parse_frame(packet, local(b4)).kind;
  };
  EXPECT_EQ(with(0x4000), FrameKind::datagram);
  EXPECT_EQ(with(0x2000), FrameKind::fragment);  // the first piece
  EXPECT_EQ(with(0x2001), FrameKind::other);     // a later one has no port to know it by
  EXPECT_EQ(with(0x0001), FrameKind::other);
}

TEST(Headers, EveryTruncationIsRefused) {
  for (const bool six : {false, true}) {
    const DatagramRoute way = six ? route(v6(1), v6(2)) : route(a4, b4);
    const Packet packet = built(way, "payload");
    for (std::size_t size = 0; size < packet.size(); ++size) {
      // A copy of its own, so that a read beyond it is seen.
      const Packet cut(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_EQ(parse_frame(cut, local(way.destination)).kind, FrameKind::bad) << size;
    }
  }
}

TEST(Headers, ContradictingLengthsAreRefused) {
  const auto ipv4 = [](std::size_t at, std::uint16_t value) {
    Packet packet = built(route(a4, b4), "payload");
    put_big16(packet, at, value);
    put_big16(packet, 24, 0);
    const std::uint16_t sum = InternetSum().add(Bytes(packet).subspan(14, 20)).checksum();
    std::memcpy(packet.data() + 24, &sum, 2);
    return parse_frame(packet, local(b4)).kind;
  };
  EXPECT_EQ(ipv4(16, 19), FrameKind::bad);      // total shorter than the header
  EXPECT_EQ(ipv4(16, 27), FrameKind::bad);      // no room for UDP's header
  EXPECT_EQ(ipv4(16, 36), FrameKind::bad);      // beyond the frame
  EXPECT_EQ(ipv4(14, 0x4400), FrameKind::bad);  // header of 16 bytes
  EXPECT_EQ(ipv4(14, 0x6500), FrameKind::bad);  // another version
  EXPECT_EQ(ipv4(38, 7), FrameKind::bad);       // UDP shorter than its header
  EXPECT_EQ(ipv4(38, 16), FrameKind::bad);      // UDP beyond the packet
  Packet damaged = built(route(a4, b4), "payload");
  damaged[26] ^= std::byte{1};
  EXPECT_EQ(parse_frame(damaged, local(b4)).kind, FrameKind::bad);  // header checksum
}

TEST(Headers, RandomDamageStaysInside) {
  std::uint32_t state = 7;
  const auto draw = [&] { return (state = state * 1664525 + 1013904223) >> 8; };
  for (int round = 0; round < 50'000; ++round) {
    const bool six = draw() % 2 == 0;
    Packet packet = built(six ? route(v6(1), v6(2)) : route(a4, b4), "payload");
    for (std::uint32_t i = 0; i <= draw() % 4; ++i) {
      packet[draw() % packet.size()] = static_cast<std::byte>(draw());
    }
    packet.resize(draw() % (packet.size() + 1));
    const Packet own(packet);
    const Frame frame = parse_frame(own, local(six ? v6(2) : b4));
    if (frame.kind != FrameKind::datagram) continue;
    EXPECT_LE(frame.offset + frame.payload.size(), own.size());
    EXPECT_EQ(frame.payload.data(), own.data() + frame.offset);
  }
}

}  // namespace

}  // namespace starling::io
