#include "io/dpdk/ring_ports.h"

#include "tests/io/conformance/datagrams.h"
#include "tests/io/conformance/streams.h"
#include "tests/io/conformance/waiting.h"
#include "tests/io/dpdk/ring_pair.h"

namespace starling::io {

namespace {

INSTANTIATE_TEST_SUITE_P(Rings, DatagramConformance, testing::Values(rings_kind()), name_of);
INSTANTIATE_TEST_SUITE_P(Rings, WaitConformance, testing::Values(rings_kind()), name_of);
INSTANTIATE_TEST_SUITE_P(Rings, StreamConformance, testing::Values(rings_kind()), name_of);

class RingPortsTest : public Conformance {};
INSTANTIATE_TEST_SUITE_P(Rings, RingPortsTest, testing::Values(rings_kind()), name_of);

TEST_P(RingPortsTest, LosesWhatDoesNotFitTheRing) {
  Side a, b;
  OPEN(a);
  OPEN(b);
  constexpr std::size_t sent = 3'000;
  for (std::size_t i = 0; i < sent; ++i) send_text(*a.ports, b.ports->bound(), "x");
  std::size_t received = 0;
  std::array<RxPacket, 64> burst;
  while (const std::size_t count = b.ports->datagrams().receive(burst)) {
    b.ports->datagrams().release(std::span(burst).first(count));
    received += count;
  }
  EXPECT_GE(received, 1'024u);
  EXPECT_LT(received, sent);
  // The lost ones' buffers are free again.
  send_text(*a.ports, b.ports->bound(), "once more");
  ASSERT_EQ(receive_texts(*b.ports, 1).size(), 1u);
}

TEST_P(RingPortsTest, APeerThatGoesAndComesBackIsFoundAgain) {
  Side a, b;
  OPEN(a);
  OPEN(b);
  const Endpoint place = b.ports->bound();
  send_text(*a.ports, place, "never read");
  b.ports.reset();
  send_text(*a.ports, place, "to nobody");
  OPEN(b, {.bind = place});
  send_text(*a.ports, place, "to the new one");
  const auto received = receive_texts(*b.ports, 1);
  ASSERT_EQ(received.size(), 1u);
  EXPECT_EQ(received[0].text, "to the new one");
}

}  // namespace

}  // namespace starling::io
