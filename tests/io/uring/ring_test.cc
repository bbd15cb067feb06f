#include "io/uring/ring.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <thread>

#include "io/clock.h"

namespace starling::io {

namespace {

class RingTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto problem = Ring::problem()) GTEST_SKIP() << *problem;
    auto made = Ring::create();
    ASSERT_TRUE(made) << made.error();
    ring = std::move(*made);
  }
  std::unique_ptr<Ring> ring;
};

TEST_F(RingTest, TagsComeBackAsTheyWere) {
  const RingTag tag{RingTag::Kind::writable, 65'535, 0xdead'beef};
  const RingTag back = RingTag::from(tag.packed());
  EXPECT_EQ(back.kind, tag.kind);
  EXPECT_EQ(back.slot, tag.slot);
  EXPECT_EQ(back.serial, tag.serial);
}

TEST_F(RingTest, MoreOperationsThanTheQueueHolds) {
  ring->start();
  std::uint32_t next = 0, seen = 0;
  for (unsigned i = 0; i < 4 * ring->submissions_max(); ++i) {
    io_uring_prep_nop(ring->prepare({RingTag::Kind::read, 0, next++}));
  }
  ring->submit();
  ring->take([&](RingTag tag, int result, unsigned) {
    EXPECT_EQ(tag.serial, seen++);
    EXPECT_EQ(result, 0);
  });
  EXPECT_EQ(seen, next);
}

TEST_F(RingTest, WaitingEndsInTime) {
  ring->start();
  const Instant before = MonotonicClock::now();
  ring->wait(std::chrono::milliseconds(20));
  const Duration took = MonotonicClock::now() - before;
  EXPECT_GE(took, std::chrono::milliseconds(15));
  EXPECT_LT(took, std::chrono::seconds(5));
}

TEST_F(RingTest, TheStarterIsTheOwner) {
  EXPECT_FALSE(ring->owned_by_this_thread());
  std::thread([&] {
    ring->start();
    EXPECT_TRUE(ring->owned_by_this_thread());
  }).join();
  EXPECT_FALSE(ring->owned_by_this_thread());
}

TEST_F(RingTest, CancelsEverything) {
  ring->start();
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  char byte = 0;
  for (std::uint32_t i = 0; i < 3; ++i) {
    io_uring_prep_read(ring->prepare({RingTag::Kind::read, 0, i}), ends[0], &byte, 1, 0);
  }
  ring->submit();
  ring->cancel_all();
  int cancelled = 0;
  ring->take([&](RingTag, int result, unsigned) { cancelled += result == -ECANCELED ? 1 : 0; });
  EXPECT_EQ(cancelled, 3);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace

}  // namespace starling::io
