#include "tests/io/conformance/waiting.h"

#include <thread>

namespace starling::io {

namespace {

using std::chrono::milliseconds;

TEST_P(WaitConformance, EndsAfterItsTime) {
  Side a;
  OPEN(a);
  const Instant before = MonotonicClock::now();
  // It may return early, so several waits together must take about their time.
  for (int i = 0; i < 5; ++i) a.ports->wait(milliseconds(20));
  const Duration took = MonotonicClock::now() - before;
  EXPECT_GE(took, milliseconds(70));
  EXPECT_LT(took, std::chrono::seconds(5));
}

TEST_P(WaitConformance, DoesNotSleepWhenTheTimeHasPassed) {
  Side a;
  OPEN(a);
  const Instant before = MonotonicClock::now();
  a.ports->wait(Duration::zero());
  a.ports->wait(milliseconds(-5));
  EXPECT_LT(MonotonicClock::now() - before, std::chrono::seconds(1));
}

TEST_P(WaitConformance, AWakeBeforeTheWaitIsNotLost) {
  Side a;
  OPEN(a);
  for (const Duration at_most : {patience, Duration::max()}) {
    a.ports->wake();
    const Instant before = MonotonicClock::now();
    a.ports->wait(at_most);
    EXPECT_LT(MonotonicClock::now() - before, patience / 2);
  }
}

TEST_P(WaitConformance, AWakeSeenWhileReceivingEndsTheNextWait) {
  Side a;
  OPEN(a);
  a.ports->wake();
  std::array<RxPacket, 4> burst;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(a.ports->datagrams().receive(burst), 0U);
    EXPECT_EQ(a.ports->streams().deliver(a.seen), 0U);
  }
  const Instant before = MonotonicClock::now();
  a.ports->wait(patience);
  EXPECT_LT(MonotonicClock::now() - before, patience / 2);
}

TEST_P(WaitConformance, AnotherThreadWakesTheWaiter) {
  Side a;
  OPEN(a);
  for (int i = 0; i < 20; ++i) {
    std::thread waker([&] {
      std::this_thread::sleep_for(milliseconds(2));
      a.ports->wake();
    });
    const Instant before = MonotonicClock::now();
    a.ports->wait(patience);
    EXPECT_LT(MonotonicClock::now() - before, patience / 2);
    waker.join();
  }
}

TEST_P(WaitConformance, ADatagramWakesTheWaiter) {
  Side a, b;
  OPEN(a);
  OPEN(b);
  const Endpoint to = a.ports->bound();
  std::thread sender([&] {
    std::this_thread::sleep_for(milliseconds(10));
    send_text(*b.ports, to, "knock");
  });
  const Instant before = MonotonicClock::now();
  a.ports->wait(patience);
  EXPECT_LT(MonotonicClock::now() - before, patience / 2);
  sender.join();
  EXPECT_EQ(receive_texts(*a.ports, 1).size(), 1U);
}

TEST_P(WaitConformance, PortsOpenedHereMayBeUsedByAnotherThread) {
  Side a, b;
  OPEN(a);
  OPEN(b);
  const Endpoint to = b.ports->bound();
  std::thread lane([&] {
    send_text(*a.ports, to, "from the lane");
    a.ports->leave();
  });
  lane.join();
  const auto seen = receive_texts(*b.ports, 1);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].text, "from the lane");
}

TEST_P(WaitConformance, AnAddressIsFreeAgainAfterLeaving) {
  Side a;
  OPEN(a);
  for (int i = 0; i < 5; ++i) {
    const Endpoint bound = a.ports->bound();
    a.turn();
    a.ports->leave();
    a.ports.reset();
    PortKind::Result again = GetParam().open({.bind = bound});
    ASSERT_NE(again.ports, nullptr) << again.skip;
    EXPECT_EQ(again.ports->bound(), bound);
    a.ports = std::move(again.ports);
  }
}

}  // namespace

}  // namespace starling::io
