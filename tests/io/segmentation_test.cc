#include "io/segmentation.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

namespace starling::io {

namespace {

const Endpoint peer{IpAddress::v4(10, 0, 0, 1), 7946};

std::vector<TxPacket> packets_of(std::initializer_list<std::uint32_t> sizes) {
  std::vector<TxPacket> packets;
  for (const std::uint32_t bytes : sizes) packets.push_back({.to = peer, .bytes = bytes});
  return packets;
}

std::size_t run_of(std::initializer_list<std::uint32_t> sizes) {
  return Segmentation().run(packets_of(sizes));
}

TEST(Segmentation, TakesEqualSizesAndOneShorterAtTheEnd) {
  EXPECT_EQ(run_of({10}), 1U);
  EXPECT_EQ(run_of({10, 10, 10}), 3U);
  EXPECT_EQ(run_of({10, 10, 3, 3}), 3U);
  EXPECT_EQ(run_of({10, 3, 10}), 2U);
  EXPECT_EQ(run_of({10, 11}), 1U);
}

TEST(Segmentation, StopsAtBlanksLeftEmpty) {
  EXPECT_EQ(run_of({0, 10}), 1U);
  EXPECT_EQ(run_of({10, 10, 0, 10}), 2U);
}

TEST(Segmentation, StopsAtAnotherPeer) {
  std::vector<TxPacket> packets = packets_of({10, 10, 10, 10});
  packets[2].to.port = 7947;
  EXPECT_EQ(Segmentation().run(packets), 2U);
  EXPECT_EQ(Segmentation().run(std::span(packets).subspan(2)), 1U);
}

TEST(Segmentation, KeepsTheKernelsBounds) {
  const std::vector<TxPacket> small(100, {.to = peer, .bytes = 10});
  EXPECT_EQ(Segmentation().run(small), 64U);
  const std::vector<TxPacket> large(100, {.to = peer, .bytes = 1400});
  EXPECT_EQ(Segmentation().run(large), 46U);  // 64 400 bytes
  EXPECT_EQ(run_of({40'000, 25'507}), 2U);
  EXPECT_EQ(run_of({40'000, 25'508}), 1U);
  EXPECT_EQ(run_of({65'507, 1}), 1U);
}

TEST(Segmentation, ARefusedSizeAndThoseAboveAreNotTriedAgain) {
  Segmentation segmentation;
  segmentation.refused(EMSGSIZE, 1400);
  EXPECT_EQ(segmentation.run(packets_of({1400, 1400})), 1U);
  EXPECT_EQ(segmentation.run(packets_of({1399, 1399})), 2U);
  segmentation.refused(EINVAL, 2000);
  EXPECT_EQ(segmentation.run(packets_of({1399, 1399})), 2U);
  segmentation.refused(EIO, 10);
  EXPECT_EQ(segmentation.run(packets_of({1, 1})), 1U);
}

TEST(Segmentation, TellsARefusalFromALoss) {
  EXPECT_TRUE(Segmentation::is_refusal(EINVAL));
  EXPECT_TRUE(Segmentation::is_refusal(EMSGSIZE));
  EXPECT_TRUE(Segmentation::is_refusal(EIO));
  EXPECT_FALSE(Segmentation::is_refusal(EAGAIN));
  EXPECT_FALSE(Segmentation::is_refusal(ENOBUFS));
  EXPECT_FALSE(Segmentation::is_refusal(ENETUNREACH));
}

}  // namespace

}  // namespace starling::io
