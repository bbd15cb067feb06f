#include "io/dpdk/ring_board.h"

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <array>
#include <thread>

#include "io/dpdk/ring_network.h"
#include "tests/io/dpdk/ring_pair.h"

namespace starling::io {

namespace {

rte_mempool* new_pool(const char* name) {
  return rte_pktmbuf_pool_create(name, 255, 0, 0, 2176, SOCKET_ID_ANY);
}

TEST(RingBoard, FindsWhoIsThereByEitherFormOfAnAddress) {
  NEED_EAL();
  RingBoard board(new_pool("board_a"), 4, 63);
  const Endpoint place{IpAddress::v4(127, 0, 0, 1), 5};
  const auto inbox = board.enter(place);
  ASSERT_NE(inbox, nullptr);
  EXPECT_EQ(board.find(place), inbox);
  std::array<std::byte, 16> mapped{};
  mapped[10] = mapped[11] = std::byte{0xff};
  std::ranges::copy(place.address.bytes(), mapped.begin() + 12);
  EXPECT_EQ(board.find({IpAddress(mapped), 5}), inbox);
  EXPECT_EQ(board.find({place.address, 6}), nullptr);
  board.leave(place);
  EXPECT_EQ(board.find(place), nullptr);
}

TEST(RingBoard, FreesWhatNobodyHasRead) {
  NEED_EAL();
  rte_mempool* const pool = new_pool("board_b");
  RingBoard board(pool, 4, 63);
  auto inbox = board.enter({IpAddress::v4(127, 0, 0, 1), 5});
  ASSERT_EQ(rte_ring_enqueue(inbox->ring(), rte_pktmbuf_alloc(pool)), 0);
  EXPECT_EQ(rte_mempool_in_use_count(pool), 1u);
  board.leave({IpAddress::v4(127, 0, 0, 1), 5});
  inbox.reset();
  EXPECT_EQ(rte_mempool_in_use_count(pool), 0u);
}

// A port that sleeps is woken by what is put into its ring.
TEST(RingBoard, WakesASleeper) {
  PortKind kind = rings_kind();
  PortKind::Result a = kind.open({.bind = loopback_v4()});
  if (a.ports == nullptr) GTEST_SKIP() << a.skip;
  PortKind::Result b = kind.open({.bind = loopback_v4()});
  std::thread sender([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    send_text(*b.ports, a.ports->bound(), "wake");
  });
  const Instant began = MonotonicClock::now();
  std::array<RxPacket, 1> burst;
  std::size_t received = 0;
  while (received == 0 && MonotonicClock::now() - began < std::chrono::seconds(8)) {
    a.ports->wait(std::chrono::seconds(10));
    received = a.ports->datagrams().receive(burst);
  }
  sender.join();
  EXPECT_LT(MonotonicClock::now() - began, std::chrono::seconds(5));
  ASSERT_EQ(received, 1u);
  a.ports->datagrams().release(burst);
}

}  // namespace

}  // namespace starling::io
