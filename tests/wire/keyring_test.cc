#include "wire/keyring.h"

#include <gtest/gtest.h>

#include <cstring>
#include <new>
#include <vector>

namespace starling {
namespace {

AesKey key_of(std::uint8_t fill, std::size_t size = 16) {
  const std::vector<std::byte> raw(size, std::byte{fill});
  return *AesKey::from(raw);
}

std::vector<std::uint8_t> order(const Keyring& ring) {
  std::vector<std::uint8_t> fills;
  for (const AesKey& key : ring.keys()) {
    fills.push_back(std::to_integer<std::uint8_t>(key.bytes()[0]));
  }
  return fills;
}

using Order = std::vector<std::uint8_t>;

TEST(AesKey, has_16_24_or_32_bytes) {
  for (std::size_t size = 0; size <= 40; ++size) {
    const std::vector<std::byte> raw(size, std::byte{7});
    const bool good = size == 16 || size == 24 || size == 32;
    const auto key = AesKey::from(raw);
    ASSERT_EQ(key.has_value(), good) << size;
    if (!good) continue;
    EXPECT_TRUE(equal(key->bytes(), raw));
  }
}

TEST(AesKey, keys_of_different_sizes_differ) {
  EXPECT_EQ(key_of(0, 16), key_of(0, 16));
  EXPECT_FALSE(key_of(0, 16) == key_of(0, 24));
  EXPECT_FALSE(key_of(1) == key_of(2));
}

TEST(AesKey, leaves_nothing_behind) {
  alignas(AesKey) std::array<std::byte, sizeof(AesKey)> place;
  AesKey* key = new (place.data()) AesKey(key_of(0xab, 32));
  EXPECT_EQ(std::ranges::count(place, std::byte{0xab}), 32);
  key->~AesKey();
  EXPECT_EQ(std::ranges::count(place, std::byte{0xab}), 0);
}

TEST(Keyring, first_key_becomes_primary_and_others_queue_up) {
  Keyring ring;
  EXPECT_TRUE(ring.empty());
  ASSERT_TRUE(ring.add(key_of(1)));
  ASSERT_TRUE(ring.add(key_of(2)));
  ASSERT_TRUE(ring.add(key_of(3)));
  EXPECT_EQ(ring.primary(), key_of(1));
  EXPECT_EQ(order(ring), (Order{1, 2, 3}));
}

TEST(Keyring, adding_twice_changes_nothing) {
  Keyring ring;
  ASSERT_TRUE(ring.add(key_of(1)));
  ASSERT_TRUE(ring.add(key_of(2)));
  ASSERT_TRUE(ring.add(key_of(1)));
  EXPECT_EQ(order(ring), (Order{1, 2}));
}

TEST(Keyring, use_moves_to_the_front_and_keeps_the_rest_in_order) {
  Keyring ring;
  for (std::uint8_t i = 1; i <= 4; ++i) ASSERT_TRUE(ring.add(key_of(i)));
  ASSERT_TRUE(ring.use(key_of(3)));
  EXPECT_EQ(order(ring), (Order{3, 1, 2, 4}));
  ASSERT_TRUE(ring.use(key_of(3)));
  EXPECT_EQ(order(ring), (Order{3, 1, 2, 4}));
  EXPECT_EQ(ring.use(key_of(9)).error(), KeyringError::not_found);
  EXPECT_EQ(order(ring), (Order{3, 1, 2, 4}));
}

TEST(Keyring, remove_refuses_the_primary_and_shrugs_at_strangers) {
  Keyring ring;
  for (std::uint8_t i = 1; i <= 4; ++i) ASSERT_TRUE(ring.add(key_of(i)));
  EXPECT_EQ(ring.remove(key_of(1)).error(), KeyringError::is_primary);
  ASSERT_TRUE(ring.remove(key_of(9)));
  EXPECT_EQ(order(ring), (Order{1, 2, 3, 4}));
  ASSERT_TRUE(ring.remove(key_of(2)));
  EXPECT_EQ(order(ring), (Order{1, 3, 4}));
  EXPECT_FALSE(ring.contains(key_of(2)));
}

TEST(Keyring, removed_key_is_wiped_from_the_ring) {
  Keyring ring;
  ASSERT_TRUE(ring.add(key_of(1)));
  ASSERT_TRUE(ring.add(key_of(0xcd)));
  ASSERT_TRUE(ring.remove(key_of(0xcd)));
  std::array<std::byte, sizeof(Keyring)> image;
  std::memcpy(image.data(), static_cast<const void*>(&ring), image.size());
  EXPECT_EQ(std::ranges::count(image, std::byte{0xcd}), 0);
}

TEST(Keyring, is_bounded) {
  Keyring ring;
  for (std::size_t i = 0; i < Keyring::keys_max; ++i) {
    ASSERT_TRUE(ring.add(key_of(static_cast<std::uint8_t>(i))));
  }
  EXPECT_EQ(ring.add(key_of(200)).error(), KeyringError::full);
  EXPECT_TRUE(ring.add(key_of(5)));  // present: still no change, still a success
  EXPECT_EQ(ring.keys().size(), Keyring::keys_max);
}

TEST(Keyring, every_error_has_a_text) {
  EXPECT_FALSE(to_text(KeyringError::full).empty());
  EXPECT_FALSE(to_text(KeyringError::not_found).empty());
  EXPECT_FALSE(to_text(KeyringError::is_primary).empty());
}

}  // namespace
}  // namespace starling
