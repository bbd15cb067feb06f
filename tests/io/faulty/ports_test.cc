#include "io/faulty/ports.h"

#include <gtest/gtest.h>

#include "io/memory/network.h"
#include "tests/io/conformance/datagrams.h"
#include "tests/io/conformance/streams.h"
#include "tests/io/conformance/waiting.h"

namespace starling::io {

namespace {

// Without faults a faulty port is any other port.
PortKind faultless_kind() {
  return {.name = "faultless",
          .open = [network = std::make_shared<MemoryNetwork>()](const PortOptions& options) {
            auto inner = network->open(options);
            EXPECT_TRUE(inner) << inner.error();
            auto ports = FaultyPorts::create(std::move(*inner), {.seed = 1});
            EXPECT_TRUE(ports);
            return PortKind::Result{std::move(*ports), ""};
          }};
}

INSTANTIATE_TEST_SUITE_P(Faultless, DatagramConformance, testing::Values(faultless_kind()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Faultless, StreamConformance, testing::Values(faultless_kind()), name_of);
INSTANTIATE_TEST_SUITE_P(Faultless, WaitConformance, testing::Values(faultless_kind()), name_of);

TEST(FaultyPorts, WaitsNoLongerThanUntilALateDatagramIsDue) {
  MemoryNetwork network;
  auto ports = FaultyPorts::create(std::move(*network.open({.bind = loopback_v4()})), {.seed = 1});
  ASSERT_TRUE(ports);
  const auto peer = std::move(*network.open({.bind = loopback_v4()}));
  const Duration late = std::chrono::milliseconds(20);
  (*ports)->controls().set({.outgoing = {.delay = 1, .delay_min = late, .delay_max = late},
                            .incoming = {},
                            .streams = {}});
  const Instant before = MonotonicClock::now();
  send_text(**ports, peer->bound(), "late");
  (*ports)->wait(patience);
  EXPECT_LT(MonotonicClock::now() - before, patience / 2);
  std::array<RxPacket, 1> none;
  ASSERT_TRUE(until([&] { return peer->counters().datagrams_received == 1; },
                    [&] {
                      (*ports)->wait(std::chrono::milliseconds(1));
                      (*ports)->datagrams().receive(none);
                      if (peer->datagrams().receive(none) == 1) peer->datagrams().release(none);
                    }));
  EXPECT_GE(MonotonicClock::now() - before, late);
}

}  // namespace

}  // namespace starling::io
