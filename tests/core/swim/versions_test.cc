#include "core/swim/versions.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "core/base/rng.h"
#include "tests/support/vectors.h"

namespace starling {
namespace {

using test::from_hex;

TEST(Versions, ReadAndWrite) {
  const std::optional<Versions> debian = read_versions(from_hex("010502020505"));
  ASSERT_TRUE(debian);
  EXPECT_EQ(*debian, Versions{});
  EXPECT_TRUE(equal(write_versions(*debian), from_hex("010502020505")));
  EXPECT_TRUE(read_versions(from_hex("01050202050500")));
  EXPECT_FALSE(read_versions(from_hex("0105020205")));
  EXPECT_FALSE(read_versions({}));
}

TEST(Versions, SanityOfAliveMessages) {
  for (const char* passed : {"", "00", "0000", "010502", "050505", "010100", "010502020505"}) {
    EXPECT_TRUE(versions_sane(from_hex(passed))) << passed;
  }
  for (const char* dropped : {"000502", "010002", "050402", "000000020505"}) {
    EXPECT_FALSE(versions_sane(from_hex(dropped))) << dropped;
  }
}

struct Entry {
  std::int64_t state;
  std::vector<std::byte> wire;
};

// Section 7.2 read sentence by sentence, with all entries at hand.
bool reference(const std::vector<Entry>& remote, const std::vector<Entry>& local) {
  const auto at = [](const Entry& entry, std::size_t i) {
    return std::to_integer<int>(entry.wire[i]);
  };
  int p_min_max = 0, p_max_min = 255, d_min_max = 0, d_max_min = 255;
  const auto narrow = [&](const Entry& entry) {
    p_min_max = std::max(p_min_max, at(entry, 0));
    p_max_min = std::min(p_max_min, at(entry, 1));
    d_min_max = std::max(d_min_max, at(entry, 3));
    d_max_min = std::min(d_max_min, at(entry, 4));
  };
  for (const Entry& entry : remote) {
    if (entry.state == 0 && entry.wire.size() >= 5) narrow(entry);
  }
  for (const Entry& entry : local) {
    if (entry.state == 0) narrow(entry);
  }
  const auto fits = [&](const Entry& entry) {
    const int p = entry.wire.size() < 6 ? 0 : at(entry, 2);
    const int d = entry.wire.size() < 6 ? 0 : at(entry, 5);
    return p >= p_min_max && p <= p_max_min && d >= d_min_max && d <= d_max_min;
  };
  return std::ranges::all_of(remote, fits) && std::ranges::all_of(local, fits);
}

std::vector<std::byte> random_versions(Rng& rng, std::size_t size) {
  const std::array<std::uint32_t, 6> low{0, 2, 1, 0, 2, 1};
  const std::array<std::uint32_t, 6> range{2, 4, 3, 2, 4, 3};
  std::vector<std::byte> wire(size);
  for (std::size_t i = 0; i < size; ++i) wire[i] = std::byte(low[i] + rng.below(range[i]));
  return wire;
}

TEST(Versions, TheIncrementalCheckAgreesWithTheText) {
  Rng rng(1);
  int compatible = 0, incompatible = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<Entry> remote, local;
    for (std::uint64_t i = rng.below(4u); i > 0; --i) {
      const std::size_t size = rng.chance(0.9) ? 6 : rng.below<std::size_t>(6);
      remote.push_back({rng.below(5), random_versions(rng, size)});
    }
    for (std::uint64_t i = rng.below(4u); i > 0; --i) {
      local.push_back({rng.below(4), random_versions(rng, 6)});
    }
    VersionCheck whole, other_shard;
    for (const Entry& entry : remote) whole.add_remote(entry.state, entry.wire);
    for (const Entry& entry : local) {
      VersionCheck& part = rng.chance(0.5) ? whole : other_shard;
      part.add_local(static_cast<MemberState>(entry.state), read_versions(entry.wire).value());
    }
    whole.merge(other_shard);
    const bool expected = reference(remote, local);
    ASSERT_EQ(whole.compatible(), expected) << round;
    ++(expected ? compatible : incompatible);
  }
  EXPECT_GT(compatible, 500);
  EXPECT_GT(incompatible, 500);
}

TEST(Versions, ExamplesOfTheDocument) {
  // A node without delegate versions cannot join a Serf cluster.
  VersionCheck serf;
  serf.add_local(MemberState::alive, Versions{});
  EXPECT_TRUE(serf.compatible());
  VersionCheck plain = serf;
  plain.add_remote(0, from_hex("010502000000"));
  EXPECT_FALSE(plain.compatible());
  // One entry without versions blocks the exchange, even a dead one.
  serf.add_remote(2, {});
  EXPECT_FALSE(serf.compatible());
  EXPECT_TRUE(VersionCheck{}.compatible());
}

}  // namespace
}  // namespace starling
