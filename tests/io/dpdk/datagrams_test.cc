#include "io/dpdk/datagrams.h"

#include "tests/io/conformance/datagrams.h"
#include "tests/io/dpdk/ring_pair.h"

namespace starling::io {

namespace {

INSTANTIATE_TEST_SUITE_P(Dpdk, DatagramConformance, testing::Values(dpdk_kind()), name_of);

using Packet = std::vector<std::byte>;

// One port, with the test as everything else on its wire.
class OnTheWire : public testing::Test {
 protected:
  static constexpr MacAddress peer_mac{{std::byte{2}, {}, {}, {}, {}, std::byte{9}}};
  const IpAddress own = IpAddress::v4(10, 0, 0, 1), peer = IpAddress::v4(10, 0, 0, 9);

  void SetUp() override {
    NEED_EAL();
    static WireTap shared;
    wire = &shared;
    wire->sent();
    auto created =
        DpdkDatagrams::create(options, {own, 7946}, wire->device(), std::nullopt, counters);
    ASSERT_TRUE(created) << created.error();
    port = std::move(*created);
  }

  void send(std::string_view text, const IpAddress& to) {
    TxPacket blank;
    ASSERT_EQ(port->borrow(std::span(&blank, 1)), 1U);
    std::memcpy(blank.room.data(), text.data(), text.size());
    blank.bytes = static_cast<std::uint32_t>(text.size());
    blank.to = {to, 8000};
    port->send(std::span(&blank, 1));
  }
  Packet from_peer(std::string_view text, std::uint16_t port_number = 7946) {
    const DatagramRoute route{.source_mac = peer_mac,
                              .source = peer,
                              .destination = own,
                              .source_port = 8000,
                              .destination_port = port_number};
    Packet packet(headers_bytes(own) + text.size());
    put_bytes(packet, packet.size() - text.size(), as_bytes(text));
    write_headers(packet, route, Checksums::here);
    return packet;
  }
  void answer_discovery() {
    std::array<std::byte, discovery_bytes_max> room;
    const std::size_t bytes = write_answer(room, {peer, peer_mac}, {own, MacAddress{}});
    wire->arrive(Bytes(room).first(bytes));
  }
  // How many datagrams came; they are given back at once.
  std::size_t receive() {
    const std::size_t got = port->receive(burst);
    port->release(std::span(burst).first(got));
    return got;
  }

  PortOptions options{.send_slots = 8};
  PortCounters counters;
  WireTap* wire = nullptr;
  std::unique_ptr<DpdkDatagrams> port;
  std::array<RxPacket, 16> burst;
};

TEST_F(OnTheWire, AsksForANeighbourAndThenSendsWhatWaited) {
  send("first", peer);
  send("second", peer);
  const auto asked = wire->sent();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(parse_frame(asked[0], {}).kind, FrameKind::arp);
  EXPECT_TRUE(port->searching());
  answer_discovery();
  EXPECT_EQ(receive(), 0U);
  const auto sent = wire->sent();
  ASSERT_EQ(sent.size(), 2U);
  const LocalAddress there = LocalAddress::from(peer_mac, {peer, 8000});
  for (std::size_t i = 0; i < 2; ++i) {
    const Frame frame = parse_frame(sent[i], there);
    ASSERT_EQ(frame.kind, FrameKind::datagram);
    EXPECT_EQ(frame.from, (Endpoint{own, 7946}));
    EXPECT_EQ(as_text(frame.payload), i == 0 ? "first" : "second");
  }
  EXPECT_FALSE(port->searching());
  EXPECT_EQ(counters.datagrams_sent, 2U);
  send("third", peer);
  EXPECT_EQ(wire->sent().size(), 1U);
}

TEST_F(OnTheWire, WaitingPacketsAreBoundedAndTheRestIsCounted) {
  for (int i = 0; i < 20; ++i) send("x", peer);
  EXPECT_EQ(counters.datagrams_send_failed, 20U - options.send_slots);
  answer_discovery();
  receive();
  EXPECT_EQ(counters.datagrams_sent, options.send_slots);
}

TEST_F(OnTheWire, AnswersWhoAsksForItsAddress) {
  std::array<std::byte, discovery_bytes_max> room;
  const std::size_t bytes = write_request(room, {peer, peer_mac}, own);
  wire->arrive(Bytes(room).first(bytes));
  EXPECT_EQ(receive(), 0U);
  const auto sent = wire->sent();
  ASSERT_EQ(sent.size(), 1U);
  const auto answer = read_discovery(sent[0], {peer, peer_mac});
  ASSERT_TRUE(answer && answer->sender);
  EXPECT_EQ(answer->sender->address, own);
}

TEST_F(OnTheWire, TakesOnlyWhatIsForItsAddressAndPort) {
  wire->arrive(from_peer("ours"));
  wire->arrive(from_peer("another port", 7947));
  Packet damaged = from_peer("damaged");
  damaged[26] ^= std::byte{1};
  wire->arrive(damaged);
  wire->arrive(Packet(14));
  wire->arrive(Packet(5));
  ASSERT_EQ(port->receive(burst), 1U);
  EXPECT_EQ(as_text(burst[0].bytes), "ours");
  EXPECT_EQ(burst[0].from, (Endpoint{peer, 8000}));
  port->release(std::span(burst).first(1));
  EXPECT_EQ(counters.datagrams_received, 1U);
}

TEST_F(OnTheWire, CountsAFragmentAsTooLarge) {
  Packet packet = from_peer("a piece");
  put_big16(packet, 20, 0x2000);
  put_big16(packet, 24, 0);
  const std::uint16_t sum = InternetSum().add(Bytes(packet).subspan(14, 20)).checksum();
  std::memcpy(packet.data() + 24, &sum, 2);
  wire->arrive(packet);
  EXPECT_EQ(receive(), 0U);
  EXPECT_EQ(counters.datagrams_too_large, 1U);
}

TEST_F(OnTheWire, WhatIsLargerThanTheLinkIsCountedAndNotSent) {
  send(std::string(1500 - 28 + 1, 'x'), peer);
  EXPECT_EQ(counters.datagrams_send_failed, 1U);
  send(std::string(1500 - 28, 'x'), peer);
  EXPECT_EQ(counters.datagrams_send_failed, 1U);
}

TEST_F(OnTheWire, HoldsWhatDidNotFitIntoTheBurst) {
  for (int i = 0; i < 10; ++i) wire->arrive(from_peer(std::to_string(i)));
  std::string seen;
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(port->receive(std::span(burst).first(1)), 1U);
    seen += as_text(burst[0].bytes);
    port->release(std::span(burst).first(1));
  }
  EXPECT_EQ(seen, "0123456789");
}

TEST_F(OnTheWire, AWildcardNeedsTheKernelsRoutes) {
  port.reset();
  const auto created = DpdkDatagrams::create(options, {IpAddress::v4(0, 0, 0, 0), 7946},
                                             wire->device(), std::nullopt, counters);
  ASSERT_FALSE(created);
  EXPECT_NE(created.error().find("needs one address"), std::string::npos) << created.error();
}

}  // namespace

}  // namespace starling::io
