#include "tests/io/conformance/datagrams.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "io/address.h"
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

// Fills a batch with datagrams of these sizes to one peer, each full of its own letter.
std::vector<std::string> send_sizes(Ports& from, const Endpoint& to,
                                    std::span<const std::size_t> sizes) {
  std::vector<TxPacket> blanks(sizes.size());
  std::vector<std::string> texts;
  EXPECT_EQ(from.datagrams().borrow(blanks), sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    texts.emplace_back(sizes[i], static_cast<char>('!' + i % 90));
    std::memcpy(blanks[i].room.data(), texts[i].data(), sizes[i]);
    blanks[i].to = to;
    blanks[i].bytes = static_cast<std::uint32_t>(sizes[i]);
  }
  from.datagrams().send(blanks);
  return texts;
}

std::vector<std::string> texts_of(const std::vector<Received>& received) {
  std::vector<std::string> texts;
  for (const Received& one : received) texts.push_back(one.text);
  return texts;
}

// Whether the kernel carries the datagrams: it cuts apart what is put together.
bool has_kernel(const Ports& ports) {
  return ports.name() == "io_uring" || ports.name() == "sockets";
}

TEST_P(DatagramConformance, KeepsTheOrderAndTheSizesOfWhatGoesToOnePeer) {
  Side a, b;
  OPEN(a);
  OPEN(b);
  // Runs of one size, shorter ends, lone ones, more than a send takes by number and by bytes.
  std::vector<std::size_t> sizes{100, 100, 100, 7, 7, 8, 1, 1, 1};
  sizes.insert(sizes.end(), 130, 33);
  sizes.push_back(5);
  sizes.insert(sizes.end(), 60, 1400);
  const std::size_t large = a.ports->name() == "dpdk" ? 1472 : 2048;  // a frame holds no more
  sizes.insert(sizes.end(), {large, large, 1, large});
  const auto sent = send_sizes(*a.ports, b.ports->bound(), sizes);
  EXPECT_EQ(texts_of(receive_texts(*b.ports, sizes.size())), sent);
  EXPECT_EQ(a.ports->counters().datagrams_sent, sizes.size());
  EXPECT_EQ(a.ports->counters().datagrams_send_failed, 0U);
  EXPECT_EQ(a.ports->counters().groups_refused, 0U);
  // Where there is no kernel, nothing needs to be put together. The second 7 and the last one fit
  // to no neighbour.
  EXPECT_EQ(a.ports->counters().datagrams_grouped, has_kernel(*a.ports) ? sizes.size() - 2 : 0U);
}

TEST_P(DatagramConformance, PeersInTurnsGetTheirOwn) {
  Side a, b, c;
  OPEN(a);
  if (a.ports->name() == "dpdk") GTEST_SKIP() << "the tests' wire has two ends";
  OPEN(b);
  OPEN(c);
  std::array<TxPacket, 48> blanks;
  ASSERT_EQ(a.ports->datagrams().borrow(blanks), blanks.size());
  std::vector<std::string> to_b, to_c;
  for (std::size_t i = 0; i < blanks.size(); ++i) {
    // b, c, b, b, c, b, b, b, c ...: every run is of another length.
    const bool for_c = i == 1 || i == 4 || i == 8 || i == 13 || i == 19 || i == 26 || i == 34;
    const std::string text = (for_c ? "c" : "b") + std::to_string(10 + i);
    (for_c ? to_c : to_b).push_back(text);
    std::memcpy(blanks[i].room.data(), text.data(), text.size());
    blanks[i].bytes = static_cast<std::uint32_t>(text.size());
    blanks[i].to = (for_c ? c : b).ports->bound();
  }
  a.ports->datagrams().send(blanks);
  EXPECT_EQ(texts_of(receive_texts(*b.ports, to_b.size())), to_b);
  EXPECT_EQ(texts_of(receive_texts(*c.ports, to_c.size())), to_c);
}

// The kernel does not cut apart what leaves a socket without checksums.
bool switch_checksums_off(const Endpoint& bound) {
  for (int descriptor = 0; descriptor < 1024; ++descriptor) {
    int type = 0;
    socklen_t type_bytes = sizeof type;
    SocketAddress name;
    name.bytes = sizeof name.storage;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &type_bytes) != 0) continue;
    if (type != SOCK_DGRAM || ::getsockname(descriptor, name.get(), &name.bytes) != 0) continue;
    if (to_endpoint(name.storage) != bound) continue;
    const int yes = 1;
    return ::setsockopt(descriptor, SOL_SOCKET, SO_NO_CHECK, &yes, sizeof yes) == 0;
  }
  return false;
}

TEST_P(DatagramConformance, SendsOneByOneWhatTheKernelDoesNotCutApart) {
  Side a, b;
  OPEN(a);
  OPEN(b);
  if (!has_kernel(*a.ports)) GTEST_SKIP() << "no kernel";
  ASSERT_TRUE(switch_checksums_off(a.ports->bound()));
  const std::array<std::size_t, 7> sizes{64, 64, 64, 9, 9, 9, 3};
  for (std::uint64_t round = 1; round <= 3; ++round) {
    auto sent = send_sizes(*a.ports, b.ports->bound(), sizes);
    auto got = texts_of(receive_texts(*b.ports, sizes.size()));
    std::ranges::sort(sent);
    std::ranges::sort(got);
    EXPECT_EQ(got, sent);
    EXPECT_EQ(a.ports->counters().datagrams_sent, round * sizes.size());
    // Both sizes were refused in the first round and are not tried again.
    EXPECT_EQ(a.ports->counters().groups_refused, 2U);
  }
  EXPECT_EQ(a.ports->counters().datagrams_grouped, 0U);
  EXPECT_EQ(a.ports->counters().datagrams_send_failed, 0U);
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
