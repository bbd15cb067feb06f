#include "io/dpdk/exception_path.h"

#include <poll.h>

#include "io/bind.h"
#include "tests/io/dpdk/ring_pair.h"

namespace starling::io {

namespace {

TEST(Mute, ASocketHearsNothingAndKeepsItsPort) {
  const PortOptions loopback{.bind = {IpAddress::v4(127, 0, 0, 1), 0}};
  const auto deaf = bind_sockets(loopback), speaker = bind_sockets(loopback);
  ASSERT_TRUE(deaf && speaker);
  SocketAddress to;
  ASSERT_TRUE(to_socket_address(deaf->bound, AF_INET, Zone::none, to));
  const auto heard = [&] {
    EXPECT_EQ(::sendto(speaker->datagrams.descriptor(), "x", 1, 0, to.get(), to.bytes), 1);
    std::array<char, 4> room;
    return ::recv(deaf->datagrams.descriptor(), room.data(), room.size(), MSG_DONTWAIT) == 1;
  };
  EXPECT_TRUE(heard());
  ASSERT_TRUE(mute(deaf->datagrams.descriptor()));
  EXPECT_FALSE(heard());
  // Nobody was told that the port is closed: an error would stand in the speaker's queue.
  pollfd event{.fd = speaker->datagrams.descriptor(), .events = 0, .revents = 0};
  EXPECT_EQ(::poll(&event, 1, 0), 0);
}

TEST(ExceptionPath, MovesFramesBothWays) {
  NEED_EAL();
  WireTap wire, kernel;
  auto device = Device::open(wire.device(), {});
  auto tap = Device::open(kernel.device(), {});
  ASSERT_TRUE(device && tap);
  ExceptionPath path(std::move(*tap), *device);
  const std::vector<std::byte> down(60, std::byte{1}), up(70, std::byte{2});

  kernel.arrive(down);
  EXPECT_EQ(path.pump(), 1U);
  EXPECT_EQ(path.pump(), 0U);
  ASSERT_EQ(wire.sent(), std::vector<std::vector<std::byte>>(1, down));

  wire.arrive(up);
  std::array<rte_mbuf*, 4> packets;
  const std::size_t got = device->receive(packets);
  ASSERT_EQ(got, 1U);
  path.up(std::span(packets).first(got));
  EXPECT_EQ(kernel.sent(), std::vector<std::vector<std::byte>>(1, up));
}

TEST(ExceptionPath, AFloodIsMovedInPieces) {
  NEED_EAL();
  WireTap wire, kernel;
  auto device = Device::open(wire.device(), {});
  auto tap = Device::open(kernel.device(), {});
  ASSERT_TRUE(device && tap);
  ExceptionPath path(std::move(*tap), *device);
  const std::vector<std::byte> frame(60);
  for (int i = 0; i < 200; ++i) kernel.arrive(frame);
  EXPECT_LT(path.pump(), 200U);
  while (path.pump() > 0) {
  }
  EXPECT_EQ(wire.sent().size(), 200U);
}

}  // namespace

}  // namespace starling::io
