#include "io/dpdk/neighbours.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace starling::io {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Answer = Neighbours::Answer;

const IpAddress own = IpAddress::v4(10, 0, 0, 1), peer = IpAddress::v4(10, 0, 0, 2);
constexpr MacAddress own_mac{{std::byte{2}, {}, {}, {}, {}, std::byte{1}}};
constexpr MacAddress peer_mac{{std::byte{2}, {}, {}, {}, {}, std::byte{2}}};

class OwnSearch : public testing::Test {
 protected:
  Neighbours neighbours = std::move(*Neighbours::create(
      {.local = LocalAddress::from(own_mac, {own, 7946}), .destinations_max = 16}));
  Instant now = Instant(seconds(1));
  std::array<std::byte, discovery_bytes_max> room;

  std::size_t requests() {
    std::size_t count = 0;
    while (neighbours.take_request(room) > 0) ++count;
    return count;
  }
  std::size_t hear_answer(const IpAddress& from, const MacAddress& mac) {
    std::array<std::byte, discovery_bytes_max> frame, reply;
    const std::size_t bytes = write_answer(frame, {from, mac}, {own, own_mac});
    return neighbours.on_discovery(now, Bytes(frame).first(bytes), reply);
  }
};

TEST_F(OwnSearch, AsksAndLearns) {
  EXPECT_EQ(neighbours.find(now, peer).answer, Answer::searching);
  const std::size_t bytes = neighbours.take_request(room);
  const auto asked = read_discovery(Bytes(room).first(bytes), {peer, peer_mac});
  ASSERT_TRUE(asked);
  EXPECT_TRUE(asked->asks_for_us);
  EXPECT_EQ(hear_answer(peer, peer_mac), 0U);
  const Neighbours::Found found = neighbours.find(now, peer);
  ASSERT_EQ(found.answer, Answer::known);
  EXPECT_EQ(found.hop.mac, peer_mac);
  EXPECT_EQ(found.hop.source, own);
}

TEST_F(OwnSearch, AsksAgainFourTimesASecondAndThenGivesUpForAWhile) {
  std::size_t asked = 0;
  Neighbours::Answer answer = Answer::searching;
  const Instant began = now;
  for (; answer == Answer::searching; now += milliseconds(1)) {
    answer = neighbours.find(now, peer).answer;
    asked += requests();
  }
  EXPECT_EQ(answer, Answer::nowhere);
  EXPECT_GE(now - began, seconds(1));
  EXPECT_LE(now - began, milliseconds(1'002));
  EXPECT_GE(asked, 4U);
  EXPECT_LE(asked, 5U);
  EXPECT_EQ(neighbours.find(now + milliseconds(400), peer).answer, Answer::nowhere);
  EXPECT_EQ(neighbours.find(now + milliseconds(600), peer).answer, Answer::searching);
}

TEST_F(OwnSearch, AnEntryIsBelievedForTenSecondsAndAChangeIsHeard) {
  neighbours.find(now, peer);
  hear_answer(peer, peer_mac);
  EXPECT_EQ(neighbours.find(now + milliseconds(9'999), peer).answer, Answer::known);
  hear_answer(peer, own_mac);
  EXPECT_EQ(neighbours.find(now, peer).hop.mac, own_mac);
  EXPECT_EQ(neighbours.find(now + seconds(10), peer).answer, Answer::searching);
}

TEST_F(OwnSearch, AnAnswerThatNobodyAskedForIsIgnored) {
  hear_answer(peer, peer_mac);
  EXPECT_EQ(neighbours.find(now, peer).answer, Answer::searching);
}

TEST_F(OwnSearch, WhoAsksForUsIsKnown) {
  std::array<std::byte, discovery_bytes_max> frame, reply;
  const std::size_t bytes = write_request(frame, {peer, peer_mac}, own);
  EXPECT_GT(neighbours.on_discovery(now, Bytes(frame).first(bytes), reply), 0U);
  EXPECT_EQ(neighbours.find(now, peer).answer, Answer::known);
}

TEST_F(OwnSearch, AnswersRequestsForItsAddressOnly) {
  std::array<std::byte, discovery_bytes_max> frame, reply;
  std::size_t bytes = write_request(frame, {peer, peer_mac}, own);
  const std::size_t answered = neighbours.on_discovery(now, Bytes(frame).first(bytes), reply);
  const auto answer = read_discovery(Bytes(reply).first(answered), {peer, peer_mac});
  ASSERT_TRUE(answer && answer->sender);
  EXPECT_EQ(answer->sender->mac, own_mac);
  bytes = write_request(frame, {peer, peer_mac}, IpAddress::v4(10, 0, 0, 3));
  EXPECT_EQ(neighbours.on_discovery(now, Bytes(frame).first(bytes), reply), 0U);
}

TEST_F(OwnSearch, ManyDestinationsPushOutTheOldest) {
  for (std::uint8_t i = 2; i < 200; ++i) {
    neighbours.find(now, IpAddress::v4(10, 0, 1, i));
    hear_answer(IpAddress::v4(10, 0, 1, i), peer_mac);
    now += milliseconds(1);
  }
  requests();
  std::size_t known = 0;
  for (std::uint8_t i = 2; i < 200; ++i) {
    // From the newest on, as a search would push out others.
    const auto last = static_cast<std::uint8_t>(201 - i);
    if (neighbours.find(now, IpAddress::v4(10, 0, 1, last)).answer != Answer::known) break;
    ++known;
  }
  EXPECT_GE(known, 8U);
  EXPECT_LE(known, 16U);
}

// The loopback interface leads nowhere by Ethernet; its addresses are this machine's own.
TEST(KernelSearch, OwnAddressesAndOtherInterfacesAreNowhere) {
  auto neighbours = Neighbours::create(
      {.local = LocalAddress::from(own_mac, {own, 7946}), .interface = InterfaceIndex{1}});
  ASSERT_TRUE(neighbours) << neighbours.error();
  EXPECT_TRUE(neighbours->asks_kernel());
  const Instant now(seconds(1));
  EXPECT_EQ(neighbours->find(now, IpAddress::v4(127, 0, 0, 1)).answer, Answer::nowhere);
  EXPECT_EQ(neighbours->find(now, IpAddress::v4(203, 0, 113, 5)).answer, Answer::nowhere);
  std::array<std::byte, discovery_bytes_max> room;
  EXPECT_EQ(neighbours->take_request(room), 0U);
}

}  // namespace

}  // namespace starling::io
