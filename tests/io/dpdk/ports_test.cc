#include "io/dpdk/ports.h"

#include <sys/resource.h>

#include "tests/io/conformance/streams.h"
#include "tests/io/conformance/waiting.h"
#include "tests/io/dpdk/ring_pair.h"

namespace starling::io {

namespace {

INSTANTIATE_TEST_SUITE_P(Dpdk, WaitConformance, testing::Values(dpdk_kind()), name_of);
INSTANTIATE_TEST_SUITE_P(Dpdk, StreamConformance, testing::Values(dpdk_kind()), name_of);

class DpdkPortsTest : public StreamConformance {};
INSTANTIATE_TEST_SUITE_P(Dpdk, DpdkPortsTest, testing::Values(dpdk_kind()), name_of);

TEST_P(DpdkPortsTest, CountsTheKernelsStreams) {
  open_pair();
  if (IsSkipped()) return;
  EXPECT_EQ(a.ports->counters().streams_dialled, 1U);
  EXPECT_EQ(b.ports->counters().streams_accepted, 1U);
  EXPECT_EQ(a.ports->name(), "dpdk");
}

TEST_P(DpdkPortsTest, IdleWaitsSleep) {
  OPEN(a);
  const auto processor_time = [] {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  };
  const auto before = processor_time();
  const Instant until = MonotonicClock::now() + std::chrono::milliseconds(300);
  while (MonotonicClock::now() < until) a.ports->wait(std::chrono::milliseconds(100));
  // A loop that asks without a pause would take all of it.
  EXPECT_LT(processor_time() - before, std::chrono::milliseconds(150));
}

}  // namespace

}  // namespace starling::io
