#include "io/dpdk/ring_network.h"

#include <gtest/gtest.h>

#include "io/open.h"
#include "tests/io/dpdk/ring_pair.h"

namespace starling::io {

namespace {

TEST(RingNetwork, RefusesMorePortsThanItHasRoomFor) {
  NEED_EAL();
  auto network =
      RingNetwork::create({.ports_max = 2, .waiting_max = 100, .port = {}}, open_memory_network());
  ASSERT_TRUE(network) << network.error();
  auto a = network->open({.bind = loopback_v4()});
  auto b = network->open({.bind = loopback_v4()});
  ASSERT_TRUE(a && b);
  const auto c = network->open({.bind = loopback_v4()});
  ASSERT_FALSE(c);
  EXPECT_TRUE(c.error().starts_with("no ring for 127.0.0.1:")) << c.error();
  a->reset();
  EXPECT_TRUE(network->open({.bind = loopback_v4()})) << "a place is free again";
}

TEST(RingNetwork, SaysThatAnAddressIsTaken) {
  NEED_EAL();
  auto network =
      RingNetwork::create({.ports_max = 2, .waiting_max = 100, .port = {}}, open_memory_network());
  ASSERT_TRUE(network) << network.error();
  const auto a = network->open({.bind = loopback_v4()});
  ASSERT_TRUE(a);
  const auto again = network->open({.bind = (*a)->bound()});
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().find("address already in use"), std::string::npos) << again.error();
}

TEST(RingNetwork, SaysHowMuchMemoryThereIsNot) {
  NEED_EAL();
  const auto network = RingNetwork::create(
      {.ports_max = 10'000, .waiting_max = 100'000, .port = {}}, open_memory_network());
  ASSERT_FALSE(network);
  EXPECT_TRUE(network.error().starts_with("DPDK has no ")) << network.error();
}

TEST(RingNetwork, RefusesPacketsLargerThanItsOwn) {
  NEED_EAL();
  auto network =
      RingNetwork::create({.ports_max = 2, .waiting_max = 100, .port = {}}, open_memory_network());
  ASSERT_TRUE(network) << network.error();
  const auto port = network->open({.bind = loopback_v4(), .packet_room_bytes = 65'536});
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error(), "packets of this network hold 2048 bytes, 65536 are wanted");
}

TEST(RingNetwork, AsksEalForEnoughMemory) {
  const std::string arguments =
      RingNetwork::eal_arguments({.ports_max = 16, .waiting_max = 4096, .port = {}});
  EXPECT_TRUE(arguments.starts_with("--no-huge -m ")) << arguments;
  const int mib = std::stoi(arguments.substr(arguments.rfind(' ')));
  EXPECT_GE(mib, 16 * (4096 + 512 + 256) * 2432 / (1 << 20));
  EXPECT_LE(mib, 400);
}

}  // namespace

}  // namespace starling::io
