#include "tests/io/conformance/datagrams.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "tests/support/alloc_counter.h"

namespace starling::io {

namespace {

TEST_P(DatagramConformance, CarriesBothWaysOverIpv4) {
  Side a, b;
  OPEN(a);
  OPEN(b);
  send_text(*a.ports, b.ports->bound(), "ping");
  const auto at_b = receive_texts(*b.ports, 1);
  ASSERT_EQ(at_b.size(), 1U);
  EXPECT_EQ(at_b[0].text, "ping");
  EXPECT_EQ(at_b[0].from, a.ports->bound());
  send_text(*b.ports, at_b[0].from, "ack");
  const auto at_a = receive_texts(*a.ports, 1);
  ASSERT_EQ(at_a.size(), 1U);
  EXPECT_EQ(at_a[0].text, "ack");
  EXPECT_EQ(a.ports->counters().datagrams_sent, 1U);
  EXPECT_EQ(a.ports->counters().datagrams_received, 1U);
}

TEST_P(DatagramConformance, CarriesBothWaysOverIpv6) {
  Side a, b;
  OPEN(a, {.bind = loopback_v6()});
  OPEN(b, {.bind = loopback_v6()});
  send_text(*a.ports, b.ports->bound(), "ping");
  const auto at_b = receive_texts(*b.ports, 1);
  ASSERT_EQ(at_b.size(), 1U);
  EXPECT_EQ(at_b[0].from, a.ports->bound());
  EXPECT_EQ(at_b[0].from.address.bytes().size(), 16U);
}

TEST_P(DatagramConformance, ReachesAMappedIpv4AddressFromAnIpv4Port) {
  Side a, b;
  OPEN(a);
  OPEN(b);
  std::array<std::byte, 16> raw{};
  raw[10] = raw[11] = std::byte{0xff};
  std::ranges::copy(b.ports->bound().address.bytes(), raw.begin() + 12);
  send_text(*a.ports, {IpAddress(raw), b.ports->bound().port}, "mapped");
  ASSERT_EQ(receive_texts(*b.ports, 1).size(), 1U);
}

TEST_P(DatagramConformance, LosesNothingOfABurstThatIsDrained) {
  Side a, b;
  OPEN(a);
  OPEN(b);
  constexpr std::size_t rounds = 20, per_round = 200;
  std::set<std::string> expected, seen;
  for (std::size_t round = 0; round < rounds; ++round) {
    // More than one system call's batch in a single send().
    std::array<TxPacket, per_round> blanks;
    ASSERT_EQ(a.ports->datagrams().borrow(blanks), per_round);
    for (std::size_t i = 0; i < per_round; ++i) {
      const std::string text = std::to_string(round) + "/" + std::to_string(i);
      expected.insert(text);
      std::memcpy(blanks[i].room.data(), text.data(), text.size());
      blanks[i].to = b.ports->bound();
      blanks[i].bytes = static_cast<std::uint32_t>(text.size());
    }
    a.ports->datagrams().send(blanks);
    for (const Received& received : receive_texts(*b.ports, per_round)) seen.insert(received.text);
  }
  EXPECT_EQ(seen, expected);
}

TEST_P(DatagramConformance, LendsNoMoreThanItsSlotsAndTakesThemBack) {
  Side a;
  OPEN(a, {.bind = loopback_v4(), .send_slots = 8});
  std::array<TxPacket, 16> blanks;
  ASSERT_EQ(a.ports->datagrams().borrow(blanks), 8U);
  std::array<TxPacket, 16> none;
  EXPECT_EQ(a.ports->datagrams().borrow(none), 0U);
  for (const TxPacket& blank : std::span(blanks).first(8)) {
    EXPECT_GE(blank.room.size(), 2048U);
  }
  // Given back unsent: nothing was filled.
  a.ports->datagrams().send(std::span(blanks).first(8));
  EXPECT_EQ(a.ports->counters().datagrams_sent, 0U);
  EXPECT_EQ(a.ports->datagrams().borrow(none), 8U);
}

TEST_P(DatagramConformance, StopsReceivingWhileAllSlotsAreHeld) {
  Side a, b;
  OPEN(a);
  OPEN(b, {.bind = loopback_v4(), .receive_slots = 4});
  for (int i = 0; i < 12; ++i) send_text(*a.ports, b.ports->bound(), std::to_string(i));
  std::array<RxPacket, 16> burst;
  std::size_t held = 0;
  ASSERT_TRUE(until([&] { return held == 4; },
                    [&] {
                      b.ports->wait(std::chrono::milliseconds(1));
                      held += b.ports->datagrams().receive(std::span(burst).subspan(held));
                    }));
  EXPECT_EQ(b.ports->datagrams().receive(std::span(burst).subspan(held)), 0U);
  std::vector<std::string> seen;
  for (const RxPacket& packet : std::span(burst).first(held)) {
    seen.emplace_back(as_text(packet.bytes));
  }
  b.ports->datagrams().release(std::span(burst).first(held));
  // What the port did not take was kept for it.
  for (const Received& received : receive_texts(*b.ports, 8)) seen.push_back(received.text);
  EXPECT_EQ(seen.size(), 12U);
  EXPECT_GE(b.ports->counters().receive_pauses, 1U);
}

TEST_P(DatagramConformance, DropsAndCountsWhatIsTooLarge) {
  Side a, b;
  OPEN(a);
  OPEN(b, {.bind = loopback_v4(), .datagram_bytes_max = 100});
  send_text(*a.ports, b.ports->bound(), std::string(101, 'x'));
  send_text(*a.ports, b.ports->bound(), std::string(100, 'y'));
  const auto seen = receive_texts(*b.ports, 1);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].text, std::string(100, 'y'));
  EXPECT_EQ(b.ports->counters().datagrams_too_large, 1U);
}

TEST_P(DatagramConformance, TakesTheLargestDatagram) {
  Side a, b;
  OPEN(a, {.bind = loopback_v4(), .packet_room_bytes = 65'507});
  OPEN(b);
  const std::string large(65'507, 'z');
  send_text(*a.ports, b.ports->bound(), large);
  const auto seen = receive_texts(*b.ports, 1);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].text, large);
}

TEST_P(DatagramConformance, CountsWhatCannotBeSentAndSendsTheRest) {
  Side a, b;
  OPEN(a);
  OPEN(b);
  std::array<TxPacket, 3> blanks;
  ASSERT_EQ(a.ports->datagrams().borrow(blanks), 3U);
  for (TxPacket& blank : blanks) {
    blank.to = b.ports->bound();
    blank.bytes = 1;
  }
  blanks[1].to = {loopback_v6().address, 7946};  // no way from an IPv4 port
  a.ports->datagrams().send(blanks);
  EXPECT_EQ(receive_texts(*b.ports, 2).size(), 2U);
  EXPECT_EQ(a.ports->counters().datagrams_send_failed, 1U);
  EXPECT_EQ(a.ports->counters().datagrams_sent, 2U);
}

TEST_P(DatagramConformance, AllocatesNothingPerDatagram) {
  Side a, b;
  OPEN(a);
  OPEN(b);
  std::array<TxPacket, 32> blanks;
  std::array<RxPacket, 32> burst;
  const auto round = [&] {
    const std::size_t lent = a.ports->datagrams().borrow(blanks);
    for (TxPacket& blank : std::span(blanks).first(lent)) {
      blank.to = b.ports->bound();
      blank.bytes = 64;
    }
    a.ports->datagrams().send(std::span(blanks).first(lent));
    std::size_t received = 0;
    for (int i = 0; i < 1'000 && received < lent; ++i) {
      b.ports->wait(std::chrono::milliseconds(1));
      const std::size_t got = b.ports->datagrams().receive(burst);
      b.ports->datagrams().release(std::span(burst).first(got));
      received += got;
      b.ports->streams().deliver(b.seen);
    }
    return received;
  };
  for (int i = 0; i < 20; ++i) round();
  const test::AllocationCounter allocations;
  std::size_t received = 0;
  for (int i = 0; i < 100; ++i) received += round();
  EXPECT_EQ(allocations.count(), 0U);
  EXPECT_EQ(received, 100U * blanks.size());
}

}  // namespace

}  // namespace starling::io
