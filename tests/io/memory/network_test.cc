#include "io/memory/network.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/io/conformance/harness.h"

namespace starling::io {

namespace {

TEST(MemoryNetwork, AnAddressIsTakenOnceAndOnlyInItsNetwork) {
  MemoryNetwork network, other;
  const auto first = network.open({.bind = loopback_v4()});
  ASSERT_TRUE(first) << first.error();
  const Endpoint bound = (*first)->bound();
  EXPECT_NE(bound.port, 0);
  const auto second = network.open({.bind = bound});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), "bind " + to_text(bound) + ": address already in use");
  EXPECT_TRUE(other.open({.bind = bound}));
  const auto third = network.open({.bind = loopback_v4()});
  ASSERT_TRUE(third);
  EXPECT_NE((*third)->bound(), bound);
}

TEST(MemoryNetwork, PortsMayOutliveIt) {
  std::unique_ptr<Ports> a, b;
  {
    MemoryNetwork network;
    a = std::move(*network.open({.bind = loopback_v4()}));
    b = std::move(*network.open({.bind = loopback_v4()}));
  }
  send_text(*a, b->bound(), "still here");
  EXPECT_EQ(receive_texts(*b, 1).size(), 1U);
}

TEST(MemoryNetwork, TwoThreadsExchangeDatagramsAndBytes) {
  MemoryNetwork network;
  Side a{std::move(*network.open({.bind = loopback_v4()})), {}};
  Side b{std::move(*network.open({.bind = loopback_v4()})), {}};
  const Endpoint to_b = b.ports->bound(), to_a = a.ports->bound();
  constexpr int datagrams = 2'000;
  const std::string big(1u << 20, 'b');
  std::thread other([&] {
    for (int i = 0; i < datagrams; ++i) send_text(*b.ports, to_a, std::to_string(i));
    until([&] { return b.seen.count(StreamEvent::Kind::closed) == 1; }, [&] { b.turn(); });
  });
  a.connect(StreamId{1}, to_b);
  ASSERT_TRUE(
      until([&] { return a.seen.count(StreamEvent::Kind::connected) == 1; }, [&] { a.turn(); }));
  a.write(StreamId{1}, big);
  a.finish(StreamId{1});
  EXPECT_EQ(receive_texts(*a.ports, datagrams).size(), static_cast<std::size_t>(datagrams));
  ASSERT_TRUE(
      until([&] { return a.seen.count(StreamEvent::Kind::closed) == 1; }, [&] { a.turn(); }));
  other.join();
  ASSERT_EQ(b.seen.count(StreamEvent::Kind::accepted), 1U);
  EXPECT_EQ(b.seen.bytes_of(b.seen.first(StreamEvent::Kind::accepted).stream), big);
}

}  // namespace

}  // namespace starling::io
