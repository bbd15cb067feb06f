#include "io/faulty/datagrams.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <map>

#include "io/faulty/ports.h"
#include "io/memory/network.h"
#include "tests/io/conformance/harness.h"

namespace starling::io {

namespace {

using std::chrono::milliseconds;

// A sender and a receiver in memory, the sender's or the receiver's port faulty.
class FaultyDatagramsTest : public testing::Test {
 protected:
  std::unique_ptr<FaultyPorts> faulty(std::uint64_t seed) {
    auto inner = network.open({.bind = loopback_v4()});
    auto ports = FaultyPorts::create(std::move(*inner), {.seed = seed});
    EXPECT_TRUE(ports);
    return std::move(*ports);
  }
  std::unique_ptr<Ports> plain() { return std::move(*network.open({.bind = loopback_v4()})); }

  // Sends `count` numbered datagrams and returns what has arrived when both sides are quiet.
  static std::vector<std::string> exchange(Ports& from, Ports& to, int count) {
    std::vector<std::string> seen;
    std::array<RxPacket, 64> burst;
    const auto drain = [&] {
      const std::size_t received = to.datagrams().receive(burst);
      for (const RxPacket& packet : std::span(burst).first(received)) {
        seen.emplace_back(as_text(packet.bytes));
      }
      to.datagrams().release(std::span(burst).first(received));
      return received;
    };
    for (int i = 0; i < count; ++i) {
      send_text(from, to.bound(), std::to_string(i));
      drain();
    }
    const Instant end = MonotonicClock::now() + milliseconds(60);
    while (MonotonicClock::now() < end) {
      from.wait(milliseconds(1));
      std::array<RxPacket, 1> none;
      from.datagrams().receive(none);
      drain();
    }
    return seen;
  }

  MemoryNetwork network;
};

constexpr int many = 4'000;

TEST_F(FaultyDatagramsTest, WithoutFaultsNothingChanges) {
  const auto a = faulty(1);
  const auto b = plain();
  const auto seen = exchange(*a, *b, many);
  ASSERT_EQ(seen.size(), static_cast<std::size_t>(many));
  for (int i = 0; i < many; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], std::to_string(i));
  EXPECT_EQ(a->datagrams_done(), FaultyDatagrams::Done{});
}

TEST_F(FaultyDatagramsTest, LosesItsShareInEitherDirection) {
  const auto a = faulty(2);
  const auto b = plain();
  a->controls().set({.outgoing = {.loss = 0.25}, .incoming = {.loss = 0.5}, .streams = {}});
  // Six standard deviations of a binomial around the mean.
  EXPECT_NEAR(static_cast<double>(exchange(*a, *b, many).size()), 0.75 * many, 165);
  EXPECT_NEAR(static_cast<double>(exchange(*b, *a, many).size()), 0.5 * many, 190);
}

TEST_F(FaultyDatagramsTest, EqualSeedsMeetEqualFaults) {
  const Faults faults{.outgoing = {.loss = 0.1, .corruption = 0.1, .duplication = 0.1},
                      .incoming = {},
                      .streams = {}};
  std::vector<std::vector<std::string>> runs;
  for (const std::uint64_t seed : {7U, 7U, 8U}) {
    const auto a = faulty(seed);
    const auto b = plain();
    a->controls().set(faults);
    runs.push_back(exchange(*a, *b, 500));
  }
  EXPECT_EQ(runs[0], runs[1]);
  EXPECT_NE(runs[0], runs[2]);
}

TEST_F(FaultyDatagramsTest, DuplicatesItsShare) {
  for (const bool outgoing : {true, false}) {
    const auto a = faulty(3);
    const auto b = plain();
    const DatagramFaults doubles{.duplication = 0.2};
    a->controls().set({.outgoing = doubles, .incoming = doubles, .streams = {}});
    const auto seen = outgoing ? exchange(*a, *b, many) : exchange(*b, *a, many);
    EXPECT_NEAR(static_cast<double>(seen.size()), 1.2 * many, 155);
    std::map<std::string, int> times;
    for (const std::string& text : seen) ++times[text];
    EXPECT_EQ(times.size(), static_cast<std::size_t>(many));
    EXPECT_TRUE(std::ranges::all_of(times, [](const auto& one) { return one.second <= 2; }));
  }
}

TEST_F(FaultyDatagramsTest, CorruptionFlipsOneBit) {
  for (const bool outgoing : {true, false}) {
    const auto a = faulty(4);
    const auto b = plain();
    const DatagramFaults flips{.corruption = 1};
    a->controls().set({.outgoing = flips, .incoming = flips, .streams = {}});
    Ports& from = outgoing ? static_cast<Ports&>(*a) : *b;
    Ports& to = outgoing ? *b : static_cast<Ports&>(*a);
    const std::string text = "a message of some length";
    send_text(from, to.bound(), text);
    const auto seen = receive_texts(to, 1);
    ASSERT_EQ(seen.size(), 1U);
    ASSERT_EQ(seen[0].text.size(), text.size());
    int bits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      bits += std::popcount(static_cast<unsigned char>(seen[0].text[i] ^ text[i]));
    }
    EXPECT_EQ(bits, 1);
    EXPECT_EQ(a->datagrams_done().corrupted, 1U);
  }
}

TEST_F(FaultyDatagramsTest, DelayPutsDatagramsOutOfOrderAndLosesNone) {
  for (const bool outgoing : {true, false}) {
    const auto a = faulty(5);
    const auto b = plain();
    const DatagramFaults late{
        .delay = 0.5, .delay_min = milliseconds(1), .delay_max = milliseconds(20)};
    a->controls().set({.outgoing = late, .incoming = late, .streams = {}});
    auto seen = outgoing ? exchange(*a, *b, 300) : exchange(*b, *a, 300);
    ASSERT_EQ(seen.size(), 300U);
    const auto number = [](const std::string& text) { return std::stoi(text); };
    EXPECT_FALSE(std::ranges::is_sorted(seen, {}, number));
    EXPECT_GT(a->datagrams_done().delayed, 90U);
    std::ranges::sort(seen, {}, number);
    for (int i = 0; i < 300; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], std::to_string(i));
  }
}

TEST_F(FaultyDatagramsTest, AFullStoreDelaysNoMore) {
  auto inner = network.open({.bind = loopback_v4()});
  auto a = FaultyPorts::create(std::move(*inner), {.seed = 6, .late_max = 4});
  ASSERT_TRUE(a);
  const auto b = plain();
  (*a)->controls().set(
      {.outgoing = {.delay = 1, .delay_min = milliseconds(30), .delay_max = milliseconds(30)},
       .incoming = {},
       .streams = {}});
  EXPECT_EQ(exchange(**a, *b, 100).size(), 100U);
  EXPECT_LT((*a)->datagrams_done().delayed, 100U);
}

}  // namespace

}  // namespace starling::io
