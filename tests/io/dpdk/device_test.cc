#include "io/dpdk/device.h"

#include "tests/io/dpdk/ring_pair.h"

namespace starling::io {

namespace {

TEST(Device, IsTakenUntilItGoes) {
  NEED_EAL();
  const RingPair pair = ring_pair();
  {
    const auto first = Device::open(pair.a, {});
    ASSERT_TRUE(first) << first.error();
    const auto again = Device::open(pair.a, {});
    ASSERT_FALSE(again);
    EXPECT_NE(again.error().find("take it"), std::string::npos) << again.error();
    EXPECT_NE(Device::first_free(false), pair.a);
  }
  EXPECT_TRUE(Device::open(pair.a, {}));
  EXPECT_EQ(Device::first_free(true), std::nullopt);
}

TEST(Device, TellsWhatItIs) {
  NEED_EAL();
  const auto device = Device::open(ring_pair().a, {});
  ASSERT_TRUE(device);
  EXPECT_EQ(device->driver(), "net_ring");
  EXPECT_EQ(device->interface(), InterfaceIndex::none);
  EXPECT_EQ(device->checksums(), Checksums::here);
  EXPECT_EQ(device->mtu(), 1500U);
  EXPECT_FALSE(device->name().empty());
}

TEST(Device, RefusesRoomsThatNoPacketHas) {
  NEED_EAL();
  const auto device = Device::open(ring_pair().a, {.packet_room_bytes = 65'507});
  ASSERT_FALSE(device);
  EXPECT_NE(device.error().find("65507 bytes"), std::string::npos) << device.error();
}

TEST(Device, AnUnknownNumberIsAnError) {
  NEED_EAL();
  EXPECT_FALSE(Device::open(DeviceNumber{31}, {}));
}

TEST(Device, MovesPacketsAndFreesWhatTheOtherEndCannotTake) {
  NEED_EAL();
  auto a = Device::open(ring_pair().a, {}), b = Device::open(ring_pair().b, {});
  ASSERT_TRUE(a && b);
  std::array<rte_mbuf*, Device::burst_max> packets;
  while (b->receive(packets) > 0) {
  }
  const unsigned free_before = rte_mempool_avail_count(a->pool());
  std::size_t sent = 0, offered = 0;
  // More than the ring holds, in all.
  for (int i = 0; i < 80; ++i) {
    ASSERT_EQ(rte_pktmbuf_alloc_bulk(a->pool(), packets.data(), packets.size()), 0);
    sent += a->send(packets);
    offered += packets.size();
  }
  EXPECT_LT(sent, offered);
  std::size_t received = 0;
  while (const std::size_t got = b->receive(packets)) {
    received += got;
    rte_pktmbuf_free_bulk(packets.data(), static_cast<unsigned>(got));
  }
  EXPECT_EQ(received, sent);
  EXPECT_EQ(rte_mempool_avail_count(a->pool()), free_before);
}

}  // namespace

}  // namespace starling::io
