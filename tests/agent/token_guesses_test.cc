#include "agent/token_guesses.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

const IpAddress guesser = IpAddress::v4(192, 0, 2, 1), other = IpAddress::v4(192, 0, 2, 2);

IpAddress v6(std::uint8_t network, std::uint8_t host) {
  std::array<std::byte, 16> raw{std::byte{0x20}, std::byte{0x01}};
  raw[7] = std::byte{network};
  raw[15] = std::byte{host};
  return IpAddress(raw);
}

// The last source before this one came is the oldest of the table.
IpAddress numbered(std::size_t number) {
  return IpAddress::v4(10, static_cast<std::uint8_t>(number >> 16),
                       static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number));
}

TEST(TokenGuesses, WaitsDoubleUpToTheLongest) {
  TokenGuesses guesses;
  Instant now{};
  std::vector<Duration> waits;
  for (int i = 0; i < 10; ++i) {
    waits.push_back(guesses.came(guesser, now));
    now += waits.back();
  }
  EXPECT_EQ(waits,
            (std::vector<Duration>{0ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 4s, 4s, 4s}));
  EXPECT_EQ(guesses.came(other, now), 0ms) << "somebody else";
}

TEST(TokenGuesses, TheRightTokenCostsNothingAndForgivesNothing) {
  TokenGuesses guesses;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(guesses.came(guesser, Instant{}), 0ms);
    guesses.right(guesser);
  }
  EXPECT_EQ(guesses.sources(), 0u);
  for (int i = 0; i < 3; ++i) guesses.came(guesser, Instant{});
  EXPECT_EQ(guesses.came(guesser, Instant{}), 400ms) << "as long as for a wrong one";
  guesses.right(guesser);
  EXPECT_EQ(guesses.came(guesser, Instant{}), 400ms) << "the three wrong ones are still known";
}

// Else a thousand connections at once were a thousand free tries.
TEST(TokenGuesses, ThoseThatWaitCountAsWrong) {
  TokenGuesses guesses;
  Duration sum{};
  for (int i = 0; i < 64; ++i) sum += guesses.came(guesser, Instant{});
  EXPECT_GT(sum, 56 * TokenGuesses::longest_wait);
}

TEST(TokenGuesses, AreForgottenOneByOne) {
  TokenGuesses guesses;
  for (int i = 0; i < 4; ++i) guesses.came(guesser, Instant{});
  EXPECT_EQ(guesses.came(guesser, Instant{} + 25s), 200ms) << "of four, two are forgotten";
  EXPECT_EQ(guesses.came(guesser, Instant{} + 35s), 200ms) << "of three, one more";
  EXPECT_EQ(guesses.came(guesser, Instant{} + 24h), 0ms);
}

TEST(TokenGuesses, WaitsKeepToTheServersBound) {
  TokenGuesses guesses(1s);
  Duration longest{};
  for (int i = 0; i < 20; ++i) longest = std::max(longest, guesses.came(guesser, Instant{}));
  EXPECT_EQ(longest, 1s);
}

// One machine can have 2^64 IPv6 addresses; and an IPv4 address may come mapped.
TEST(TokenGuesses, ASourceIsANetworkOfOneMachine) {
  TokenGuesses guesses;
  EXPECT_EQ(guesses.came(v6(1, 1), Instant{}), 0ms);
  EXPECT_EQ(guesses.came(v6(1, 2), Instant{}), 100ms);
  EXPECT_EQ(guesses.came(v6(2, 1), Instant{}), 0ms);
  std::array<std::byte, 16> mapped{};
  mapped[10] = mapped[11] = std::byte{0xff};
  std::ranges::copy(guesser.bytes(), mapped.begin() + 12);
  EXPECT_EQ(guesses.came(guesser, Instant{}), 0ms);
  EXPECT_EQ(guesses.came(IpAddress(mapped), Instant{}), 100ms);
}

TEST(TokenGuesses, TheTableIsBounded) {
  TokenGuesses guesses;
  Instant now{};
  guesses.came(guesser, now);
  for (std::size_t i = 0; i < 2 * TokenGuesses::sources_max; ++i) {
    now += 1ms;
    guesses.came(numbered(i), now);
    EXPECT_EQ(guesses.came(other, now) == 0ms, i == 0) << "who goes on is not forgotten";
  }
  EXPECT_EQ(guesses.sources(), TokenGuesses::sources_max);
  EXPECT_EQ(guesses.came(guesser, now), 0ms) << "the one that was quiet for longest is";
  guesses.came(numbered(1'000'000), now + 10min);
  EXPECT_EQ(guesses.sources(), 1u) << "all others are forgotten by time";
}

}  // namespace
}  // namespace starling::agent
