#include "io/bind.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

namespace starling::io {

namespace {

PortOptions at(std::string_view text) {
  return {.bind = endpoint_from(text, 0)->endpoint};
}

TEST(Bind, PortZeroGivesBothTheSameNumber) {
  for (int i = 0; i < 20; ++i) {
    const auto sockets = bind_sockets(at("127.0.0.1:0"));
    ASSERT_TRUE(sockets) << sockets.error();
    EXPECT_NE(sockets->bound.port, 0);
    SocketAddress udp;
    udp.bytes = sizeof udp.storage;
    ASSERT_EQ(::getsockname(sockets->datagrams.descriptor(), udp.get(), &udp.bytes), 0);
    EXPECT_EQ(to_endpoint(udp.storage), sockets->bound);
  }
}

TEST(Bind, SaysWhatIsTaken) {
  const auto first = bind_sockets(at("127.0.0.1:0"));
  ASSERT_TRUE(first);
  PortOptions same;
  same.bind = first->bound;
  const auto second = bind_sockets(same);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), "bind tcp " + to_text(first->bound) + ": address already in use");
}

TEST(Bind, WaitsForAnAddressThatIsGivenUpSoon) {
  auto first = bind_sockets(at("127.0.0.1:0"));
  ASSERT_TRUE(first);
  PortOptions same;
  same.bind = first->bound;
  std::thread leaving([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    first->datagrams.close();
    first->listener.close();
  });
  const auto second = bind_sockets(same);
  leaving.join();
  EXPECT_TRUE(second) << second.error();
}

TEST(Bind, AnotherUdpSocketIsNotSharedWith) {
  // Only the UDP half is taken.
  auto first = bind_sockets(at("127.0.0.1:0"));
  ASSERT_TRUE(first);
  first->listener.close();
  PortOptions same;
  same.bind = first->bound;
  const auto second = bind_sockets(same);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), "bind udp " + to_text(first->bound) + ": address already in use");
}

TEST(Bind, SaysWhenTheAddressIsNotOurs) {
  const auto sockets = bind_sockets(at("192.0.2.1:0"));
  ASSERT_FALSE(sockets);
  EXPECT_EQ(sockets.error(), "bind tcp 192.0.2.1:0: cannot assign requested address");
}

TEST(Bind, TheReceiveBufferIsEnlarged) {
  const auto sockets = bind_sockets(at("127.0.0.1:0"));
  ASSERT_TRUE(sockets);
  int granted = 0;
  socklen_t bytes = sizeof granted;
  ::getsockopt(sockets->datagrams.descriptor(), SOL_SOCKET, SO_RCVBUF, &granted, &bytes);
  EXPECT_GE(granted, 2 * 65'536);
}

TEST(Bind, TheIpv6WildcardServesBothFamilies) {
  const auto sockets = bind_sockets(at("[::]:0"));
  if (!sockets) GTEST_SKIP() << sockets.error();
  EXPECT_EQ(sockets->family, AF_INET6);
  PortOptions v4;
  v4.bind = {IpAddress::v4(127, 0, 0, 1), sockets->bound.port};
  EXPECT_FALSE(bind_sockets(v4));  // taken already
}

}  // namespace

}  // namespace starling::io
