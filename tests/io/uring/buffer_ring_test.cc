#include "io/uring/buffer_ring.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>

namespace starling::io {

namespace {

TEST(BufferRing, LendsEachBufferOnceUntilItIsGivenBack) {
  if (const auto problem = Ring::problem()) GTEST_SKIP() << *problem;
  auto ring = Ring::create();
  ASSERT_TRUE(ring) << ring.error();
  auto buffers = BufferRing::create(**ring, {.group = 3, .buffers = 3, .buffer_bytes = 100});
  ASSERT_TRUE(buffers) << buffers.error();
  ASSERT_EQ(buffers->buffers(), 4U);  // the next power of two
  (*ring)->start();

  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
  const auto receive = [&] {
    EXPECT_EQ(::send(ends[0], "x", 1, 0), 1);
    io_uring_sqe* const sqe = (*ring)->prepare({.kind = RingTag::Kind::read});
    io_uring_prep_recv(sqe, ends[1], nullptr, 100, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = 3;
    (*ring)->submit();
    int got = 0;
    (*ring)->take([&](RingTag, int result, unsigned flags) {
      got = result < 0 ? result : static_cast<int>(BufferRing::of(flags));
    });
    return got;
  };
  std::vector<int> lent;
  for (int i = 0; i < 4; ++i) lent.push_back(receive());
  for (const int buffer : lent) {
    ASSERT_GE(buffer, 0);
    EXPECT_EQ(std::ranges::count(lent, buffer), 1);
    EXPECT_EQ(buffers->at(static_cast<std::size_t>(buffer))[0], std::byte{'x'});
  }
  EXPECT_EQ(receive(), -ENOBUFS);
  buffers->give(static_cast<std::size_t>(lent[2]));
  EXPECT_EQ(receive(), lent[2]);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace

}  // namespace starling::io
