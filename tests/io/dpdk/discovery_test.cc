#include "io/dpdk/discovery.h"

#include <gtest/gtest.h>

#include <vector>

namespace starling::io {

namespace {

using Packet = std::vector<std::byte>;

IpAddress v6(std::uint8_t last) {
  std::array<std::byte, 16> raw{};
  raw[0] = std::byte{0xfd};
  raw[13] = std::byte{0xab};
  raw[15] = std::byte{last};
  return IpAddress(raw);
}

Neighbour node(bool six, std::uint8_t number) {
  return {six ? v6(number) : IpAddress::v4(10, 0, 0, number),
          {{std::byte{2}, {}, {}, {}, {}, std::byte{number}}}};
}

Packet request(const Neighbour& own, const IpAddress& wanted) {
  std::array<std::byte, discovery_bytes_max> room;
  const std::size_t bytes = write_request(room, own, wanted);
  return {room.begin(), room.begin() + static_cast<std::ptrdiff_t>(bytes)};
}

Packet answer(const Neighbour& own, const Neighbour& asker) {
  std::array<std::byte, discovery_bytes_max> room;
  const std::size_t bytes = write_answer(room, own, asker);
  return {room.begin(), room.begin() + static_cast<std::ptrdiff_t>(bytes)};
}

TEST(Discovery, AskingAndAnsweringInBothFamilies) {
  for (const bool six : {false, true}) {
    const Neighbour a = node(six, 1), b = node(six, 2), c = node(six, 3);
    const Packet asked = request(a, b.address);
    EXPECT_EQ(parse_frame(asked, {}).kind, six ? FrameKind::neighbour_discovery : FrameKind::arp);
    EXPECT_TRUE(mac_at(asked, 0).group());

    const auto at_b = read_discovery(asked, b);
    ASSERT_TRUE(at_b && at_b->sender);
    EXPECT_TRUE(at_b->asks_for_us);
    EXPECT_EQ(at_b->sender->address, a.address);
    EXPECT_EQ(at_b->sender->mac, a.mac);
    const auto at_c = read_discovery(asked, c);
    ASSERT_TRUE(at_c);
    EXPECT_FALSE(at_c->asks_for_us);

    const Packet answered = answer(b, *at_b->sender);
    EXPECT_EQ(mac_at(answered, 0), a.mac);
    const auto at_a = read_discovery(answered, a);
    ASSERT_TRUE(at_a && at_a->sender);
    EXPECT_FALSE(at_a->asks_for_us);
    EXPECT_EQ(at_a->sender->address, b.address);
    EXPECT_EQ(at_a->sender->mac, b.mac);
  }
}

TEST(Discovery, AnArpRequestAsBytes) {
  const std::array<std::uint8_t, 42> wanted{
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,  0, 0, 0, 0, 1, 8, 6,  // Ethernet
      0,    1,    8,    0,    6,    4,    0,  1,                    // a request
      2,    0,    0,    0,    0,    1,    10, 0, 0, 1,              // from
      0,    0,    0,    0,    0,    0,    10, 0, 0, 2};             // for
  const Packet asked = request(node(false, 1), node(false, 2).address);
  ASSERT_EQ(asked.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(std::to_integer<int>(asked[i]), wanted[i]) << i;
  }
}

TEST(Discovery, ASolicitationGoesToTheSolicitedNodesGroup) {
  const Packet asked = request(node(true, 1), v6(2));
  const std::array<std::uint8_t, 6> mac{0x33, 0x33, 0xff, 0xab, 0, 2};
  EXPECT_TRUE(equal(Bytes(asked).first(6), std::as_bytes(std::span(mac))));
  const std::array<std::uint8_t, 16> group{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xab, 0, 2};
  EXPECT_TRUE(equal(Bytes(asked).subspan(38, 16), std::as_bytes(std::span(group))));
  EXPECT_EQ(std::to_integer<int>(asked[21]), 255);  // hop limit
}

TEST(Discovery, EveryTruncationIsRefused) {
  for (const bool six : {false, true}) {
    const Neighbour a = node(six, 1), b = node(six, 2);
    for (const Packet& whole : {request(a, b.address), answer(a, b)}) {
      for (std::size_t size = 0; size < whole.size(); ++size) {
        const Packet cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_FALSE(read_discovery(cut, b)) << size;
      }
    }
  }
}

TEST(Discovery, WhatARouterMayHaveForwardedIsRefused) {
  Packet asked = request(node(true, 1), v6(2));
  asked[21] = std::byte{254};
  EXPECT_FALSE(read_discovery(asked, node(true, 2)));
}

TEST(Discovery, ADamagedMessageIsRefused) {
  const Packet asked = request(node(true, 1), v6(2));
  for (std::size_t at = 54; at < asked.size(); ++at) {
    Packet damaged = asked;
    damaged[at] ^= std::byte{4};
    EXPECT_FALSE(read_discovery(damaged, node(true, 2))) << at;
  }
}

TEST(Discovery, AProbeForAFreeAddressTeachesNothing) {
  Packet probe = request(node(false, 1), node(false, 2).address);
  put_bytes(probe, 28, std::array<std::byte, 4>{});
  const auto found = read_discovery(probe, node(false, 2));
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->sender);
  EXPECT_FALSE(found->asks_for_us);
}

TEST(Discovery, AGroupIsNobodysMac) {
  Packet asked = request(node(false, 1), node(false, 2).address);
  put_bytes(asked, 22, mac_broadcast.octets);
  const auto found = read_discovery(asked, node(false, 2));
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->sender);
}

TEST(Discovery, RandomDamageStaysInside) {
  std::uint32_t state = 3;
  const auto draw = [&] { return (state = state * 1664525 + 1013904223) >> 8; };
  for (int round = 0; round < 50'000; ++round) {
    const bool six = draw() % 2 == 0;
    Packet packet = request(node(six, 1), node(six, 2).address);
    for (std::uint32_t i = 0; i <= draw() % 3; ++i) {
      packet[draw() % packet.size()] = static_cast<std::byte>(draw());
    }
    if (six && draw() % 2 == 0) {
      // With its checksum mended the message reaches the options.
      put_big16(packet, 56, 0);
      const std::uint16_t sum =
          pseudo_header_sum(Bytes(packet).subspan(22, 16), Bytes(packet).subspan(38, 16), 58, 32)
              .add(Bytes(packet).subspan(54))
              .checksum();
      std::memcpy(packet.data() + 56, &sum, 2);
    }
    packet.resize(draw() % 8 == 0 ? draw() % packet.size() : packet.size());
    const Packet own(packet);
    const auto found = read_discovery(own, node(six, 2));
    if (found && found->asks_for_us) {
      EXPECT_TRUE(found->sender);
    }
  }
}

}  // namespace

}  // namespace starling::io
