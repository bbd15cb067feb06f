#include "io/dpdk/shared_device.h"

#include <map>

#include "io/dpdk/mbuf_burst.h"
#include "io/open.h"
#include "tests/io/dpdk/ring_pair.h"

namespace starling::io {

namespace {

constexpr MacAddress peer_mac{{std::byte{2}, {}, {}, {}, {}, std::byte{9}}};

// Two lanes on one device, with the test as everything else on its wire.
class TwoLanes {
 public:
  TwoLanes(std::size_t receive_queues, std::size_t send_queues)
      : wire(wire_of(receive_queues, send_queues)) {
    for (std::size_t queue = 0; queue < send_queues; ++queue) wire.sent(queue);
    PortOptions options{.lanes = 2, .receive_slots = 32, .send_slots = 8};
    auto opened =
        SharedDevice::open(wire.device(), std::nullopt, DpdkDatagrams::device_options(options));
    EXPECT_TRUE(opened) << opened.error();
    shared = *opened;
    for (; options.lane < 2; ++options.lane) {
      auto port = DpdkDatagrams::create(options, {own, 7946}, shared, counters[options.lane]);
      EXPECT_TRUE(port) << port.error();
      ports[options.lane] = std::move(*port);
    }
  }
  void send(std::size_t lane, std::string_view text) {
    TxPacket blank;
    ASSERT_EQ(ports[lane]->borrow(std::span(&blank, 1)), 1U);
    std::memcpy(blank.room.data(), text.data(), text.size());
    blank.bytes = static_cast<std::uint32_t>(text.size());
    blank.to = {peer, 8000};
    ports[lane]->send(std::span(&blank, 1));
  }
  std::size_t receive(std::size_t lane) {
    std::array<RxPacket, 16> burst;
    const std::size_t got = ports[lane]->receive(burst);
    ports[lane]->release(std::span(burst).first(got));
    return got;
  }
  std::vector<std::byte> datagram() const {
    const DatagramRoute route{.source_mac = peer_mac,
                              .source = peer,
                              .destination = own,
                              .source_port = 8000,
                              .destination_port = 7946};
    std::vector<std::byte> packet(headers_bytes(own) + 4);
    write_headers(packet, route, Checksums::here);
    return packet;
  }
  void answer_discovery(std::size_t queue) {
    std::array<std::byte, discovery_bytes_max> room;
    const std::size_t bytes = write_answer(room, {peer, peer_mac}, {own, MacAddress{}});
    wire.arrive(Bytes(room).first(bytes), queue);
  }
  std::size_t datagrams_sent(std::size_t queue) {
    std::size_t count = 0;
    for (const auto& frame : wire.sent(queue)) {
      const LocalAddress there = LocalAddress::from(peer_mac, {peer, 8000});
      count += parse_frame(frame, there).kind == FrameKind::datagram ? 1 : 0;
    }
    return count;
  }

  const IpAddress own = IpAddress::v4(10, 0, 0, 1), peer = IpAddress::v4(10, 0, 0, 9);
  // DPDK keeps the packets of every device there ever was: those with equal queues are used again.
  static WireTap& wire_of(std::size_t receive_queues, std::size_t send_queues) {
    static std::map<std::pair<std::size_t, std::size_t>, WireTap> taps;
    return taps.try_emplace({receive_queues, send_queues}, receive_queues, send_queues)
        .first->second;
  }
  // Lets a lane know where the peer is, by way of the first lane.
  void introduce(std::size_t lane) {
    send(lane, "who");
    ports[0]->gather();
    answer_discovery(0);
    ports[0]->gather();
    ports[lane]->gather();
    ports[0]->gather();
    for (std::size_t queue = 0; queue < shared->device().send_queues(); ++queue) wire.sent(queue);
  }

  WireTap& wire;
  std::array<PortCounters, 2> counters;
  std::shared_ptr<SharedDevice> shared;
  std::array<std::unique_ptr<DpdkDatagrams>, 2> ports;
};

TEST(SharedDevice, EachLaneHasItsQueues) {
  NEED_EAL();
  TwoLanes lanes(2, 2);
  EXPECT_EQ(lanes.shared->layout(),
            "2 receive queues for 2 lanes, spread by the driver, each sends by its own queue");
  lanes.wire.arrive(lanes.datagram(), 1);
  EXPECT_EQ(lanes.receive(0), 0u);
  EXPECT_EQ(lanes.receive(1), 1u);
  lanes.wire.arrive(lanes.datagram(), 0);
  EXPECT_EQ(lanes.receive(1), 0u);
  EXPECT_EQ(lanes.receive(0), 1u);
}

// The answer comes to the first lane, though the second has asked.
TEST(SharedDevice, ANeighbourThatOneLaneHearsIsKnownToAll) {
  NEED_EAL();
  TwoLanes lanes(2, 2);
  lanes.send(1, "wait");
  EXPECT_EQ(lanes.wire.sent(1).size(), 1u) << "the question";
  lanes.answer_discovery(0);
  EXPECT_FALSE(lanes.ports[1]->gather());
  lanes.ports[0]->gather();
  lanes.ports[1]->gather();
  EXPECT_EQ(lanes.datagrams_sent(1), 1u);
  EXPECT_EQ(lanes.counters[1].datagrams_sent, 1u);
  EXPECT_EQ(lanes.counters[0].datagrams_sent, 0u);
}

TEST(SharedDevice, WithOneQueueThePairIsTheFirstLanes) {
  NEED_EAL();
  TwoLanes lanes(1, 1);
  EXPECT_EQ(lanes.shared->layout(),
            "1 receive queue for 2 lanes, the others hear by mail, all send through the first "
            "lane");
  lanes.wire.arrive(lanes.datagram());
  EXPECT_EQ(lanes.receive(1), 0u);
  EXPECT_EQ(lanes.receive(0), 1u);
  lanes.introduce(1);
  lanes.send(1, "through the other");
  EXPECT_EQ(lanes.datagrams_sent(0), 0u);
  lanes.ports[0]->gather();
  EXPECT_EQ(lanes.datagrams_sent(0), 1u);
}

TEST(SharedDevice, LanesMayReceiveByOneQueueAndSendByMany) {
  NEED_EAL();
  TwoLanes lanes(1, 2);
  EXPECT_EQ(lanes.shared->layout(),
            "1 receive queue for 2 lanes, the others hear by mail, each sends by its own queue");
  lanes.introduce(1);
  lanes.send(1, "by its own");
  EXPECT_EQ(lanes.datagrams_sent(1), 1u);
}

// What a driver spreads by rules of its own must be fetched from all its queues.
TEST(SharedDevice, MoreQueuesThanLanesAreSharedOut) {
  NEED_EAL();
  TwoLanes lanes(5, 2);
  for (std::size_t queue = 0; queue < 5; ++queue) lanes.wire.arrive(lanes.datagram(), queue);
  EXPECT_EQ(lanes.receive(0), 3u);
  EXPECT_EQ(lanes.receive(1), 2u);
}

TEST(SharedDevice, WhatWaitsInItsRingsGoesWithIt) {
  NEED_EAL();
  TwoLanes lanes(1, 1);
  lanes.introduce(1);
  const unsigned before = rte_mempool_avail_count(lanes.shared->device().pool());
  rte_mempool* const pool = lanes.shared->device().pool();
  for (int i = 0; i < 20; ++i) lanes.send(1, "never sent");
  EXPECT_LT(rte_mempool_avail_count(pool), before);
  lanes.ports = {};
  lanes.shared = nullptr;
  EXPECT_GE(rte_mempool_avail_count(pool), before);
}

TEST(SharedDevice, LanePortsShareTheDevice) {
  NEED_EAL();
  ring_pair();
  auto opened = open_lane_ports({.bind = {IpAddress::v4(127, 0, 0, 1), 0},
                                 .choice = PortChoice::dpdk,
                                 .lanes = 2,
                                 .dpdk_arguments = test_eal_arguments,
                                 .receive_slots = 32,
                                 .send_slots = 8});
  ASSERT_TRUE(opened) << opened.error();
  ASSERT_EQ(opened->size(), 2u);
  EXPECT_NE((*opened)[0].reason.find("1 receive queue for 2 lanes"), std::string::npos)
      << (*opened)[0].reason;
  EXPECT_EQ((*opened)[0].ports->bound(), (*opened)[1].ports->bound());
}

}  // namespace

}  // namespace starling::io
