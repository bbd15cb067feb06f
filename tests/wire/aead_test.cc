#include "wire/aead.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "tests/support/alloc_counter.h"
#include "tests/support/vectors.h"

namespace starling {
namespace {

// Counts OpenSSL's allocations. The hooks must be in place before its first one.
std::size_t openssl_allocations = 0;
void* count_malloc(std::size_t size, const char*, int) {
  ++openssl_allocations;
  return std::malloc(size);
}
void* count_realloc(void* old, std::size_t size, const char*, int) {
  ++openssl_allocations;
  return std::realloc(old, size);
}
void just_free(void* memory, const char*, int) {
  std::free(memory);
}
const bool counting = CRYPTO_set_mem_functions(count_malloc, count_realloc, just_free) == 1;

using test::from_hex;
using test::load_vectors;
using Octets = test::ByteVector;

Octets text_octets(std::string_view text) {
  return test::to_vector(text);
}

AesKey filled_key(std::uint8_t fill, std::size_t size = 16) {
  const Octets raw(size, std::byte{fill});
  return *AesKey::from(raw);
}

Keyring ring_of(std::initializer_list<AesKey> keys) {
  Keyring ring;
  for (const AesKey& key : keys) EXPECT_TRUE(ring.add(key));
  return ring;
}

constexpr Nonce nonce{std::byte{1}, std::byte{2}, std::byte{3}};

Octets sealed_by(Cipher& cipher, unsigned version, Bytes associated, Bytes plain) {
  Octets out(Cipher::sealed_size(version, plain.size()));
  EXPECT_EQ(cipher.seal(version, nonce, associated, plain, out), out.size());
  return out;
}

// Every test runs with both engines; where ipsec-mb is missing the second run repeats the first.
class CipherTest : public testing::TestWithParam<Cipher::Engine> {};
INSTANTIATE_TEST_SUITE_P(Engines, CipherTest,
                         testing::Values(Cipher::Engine::openssl, Cipher::Engine::ipsec_mb),
                         [](const auto& engine) {
                           return engine.param == Cipher::Engine::openssl ? "openssl" : "ipsec_mb";
                         });

TEST_P(CipherTest, opens_what_it_seals) {
  for (const std::size_t key_size : {16u, 24u, 32u}) {
    Cipher cipher(ring_of({filled_key(3, key_size)}), GetParam());
    for (const unsigned version : {0u, 1u}) {
      for (std::size_t size = 1; size <= 70; ++size) {
        const Octets plain(size, std::byte{0x55});
        const Octets associated = text_octets("blue");
        const Octets sealed = sealed_by(cipher, version, associated, plain);
        ASSERT_EQ(std::to_integer<unsigned>(sealed[0]), version);
        Octets out(sealed.size() - encrypt_overhead_v1);
        const auto opened = cipher.open(sealed, associated, out);
        ASSERT_TRUE(opened) << key_size << ' ' << version << ' ' << size;
        ASSERT_TRUE(equal(*opened, plain));
      }
    }
  }
}

TEST_P(CipherTest, reseals_every_recorded_packet_byte_for_byte) {
  std::size_t checked = 0;
  for (const auto& vector : load_vectors("memberlist.json")["vectors"]) {
    if (!vector.contains("nonce_hex")) continue;
    SCOPED_TRACE(vector["id"].get<std::string>());
    Octets whole = from_hex(vector["hex"].get<std::string>());
    const Octets label = text_octets(vector.value("label", ""));
    const bool stream = vector["transport"] != "udp";
    Bytes rest = whole;
    if (rest[0] == std::byte{244}) rest = rest.subspan(2 + label.size());
    Octets associated;
    if (stream) {
      associated.assign(rest.begin(), rest.begin() + 5);
      rest = rest.subspan(5);
    }
    associated.insert(associated.end(), label.begin(), label.end());

    Cipher cipher(
        ring_of({filled_key(9), *AesKey::from(from_hex(vector["key_hex"].get<std::string>()))}),
        GetParam());
    Octets out(rest.size() - encrypt_overhead_v1);
    const auto opened = cipher.open(rest, associated, out);
    ASSERT_TRUE(opened);

    Cipher sealer(ring_of({*AesKey::from(from_hex(vector["key_hex"].get<std::string>()))}),
                  GetParam());
    Nonce recorded;
    std::ranges::copy(from_hex(vector["nonce_hex"].get<std::string>()), recorded.begin());
    Octets again(rest.size());
    ASSERT_EQ(sealer.seal(std::to_integer<unsigned>(rest[0]), recorded, associated, *opened, again),
              rest.size());
    EXPECT_TRUE(equal(again, rest));
    ++checked;
  }
  EXPECT_EQ(checked, 42u);
}

TEST_P(CipherTest, tries_every_key_also_in_place) {
  Cipher sender(ring_of({filled_key(7, 32)}), GetParam());
  Cipher receiver(ring_of({filled_key(1), filled_key(2, 24), filled_key(7, 32)}), GetParam());
  const Octets plain(100, std::byte{0x77});
  for (const unsigned version : {0u, 1u}) {
    Octets sealed = sealed_by(sender, version, {}, plain);
    const MutableBytes body = MutableBytes(sealed).subspan(13, sealed.size() - 29);
    const auto opened = receiver.open(sealed, {}, body);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(equal(*opened, plain));
    EXPECT_EQ(opened->data(), sealed.data() + 13);
  }
}

TEST_P(CipherTest, failure_in_place_leaves_the_ciphertext) {
  Cipher sender(ring_of({filled_key(7)}), GetParam());
  Cipher receiver(ring_of({filled_key(1), filled_key(2)}), GetParam());
  const Octets plain(100, std::byte{0x77});
  Octets sealed = sealed_by(sender, 1, {}, plain);
  const Octets before = sealed;
  const MutableBytes body = MutableBytes(sealed).subspan(13, sealed.size() - 29);
  EXPECT_EQ(receiver.open(sealed, {}, body).error().fault, WireFault::mismatch);
  EXPECT_TRUE(equal(sealed, before));
}

TEST_P(CipherTest, failure_releases_nothing) {
  Cipher cipher(ring_of({filled_key(7)}), GetParam());
  const Octets plain(40, std::byte{0x77});
  Octets sealed = sealed_by(cipher, 1, {}, plain);
  sealed.back() ^= std::byte{1};  // the tag: decryption itself would give the true plaintext
  Octets out(40, std::byte{0xee});
  EXPECT_FALSE(cipher.open(sealed, {}, out));
  EXPECT_EQ(std::ranges::count(out, std::byte{0x77}), 0);
}

TEST_P(CipherTest, every_flipped_bit_but_the_version_is_noticed) {
  Cipher cipher(ring_of({filled_key(7)}), GetParam());
  const Octets plain(33, std::byte{0x41});
  const Octets associated = text_octets("blue");
  const Octets sealed = sealed_by(cipher, 1, associated, plain);
  Octets out(sealed.size());
  for (std::size_t i = 1; i < sealed.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Octets bad = sealed;
      bad[i] ^= static_cast<std::byte>(1u << bit);
      const auto opened = cipher.open(bad, associated, out);
      ASSERT_FALSE(opened);
      ASSERT_EQ(opened.error().fault, WireFault::mismatch);
    }
  }
  EXPECT_EQ(cipher.open(sealed, text_octets("blu"), out).error().fault, WireFault::mismatch);
  EXPECT_EQ(cipher.open(sealed, {}, out).error().fault, WireFault::mismatch);
}

TEST_P(CipherTest, refuses_short_unknown_and_unroomy_input) {
  Cipher cipher(ring_of({filled_key(7)}), GetParam());
  Octets out(100);
  EXPECT_EQ(cipher.open({}, {}, out).error().fault, WireFault::truncated);
  for (std::size_t size = 1; size < 45; ++size) {
    Octets zeros(size);
    EXPECT_EQ(cipher.open(zeros, {}, out).error().fault, WireFault::truncated) << size;
    if (size < 29) {
      zeros[0] = std::byte{1};
      EXPECT_EQ(cipher.open(zeros, {}, out).error().fault, WireFault::truncated) << size;
    }
  }
  for (unsigned version = 2; version < 256; ++version) {
    Octets packet(60);
    packet[0] = static_cast<std::byte>(version);
    EXPECT_EQ(cipher.open(packet, {}, out).error().fault, WireFault::unsupported);
  }
  const Octets sealed = sealed_by(cipher, 1, {}, Octets(10, std::byte{1}));
  EXPECT_EQ(cipher.open(sealed, {}, MutableBytes(out).first(9)).error().fault, WireFault::no_space);
  EXPECT_EQ(cipher.seal(1, nonce, {}, Octets(10), MutableBytes(out).first(38)), 0u);
  EXPECT_EQ(cipher.seal(0, nonce, {}, Octets(16), MutableBytes(out).first(60)), 0u);
}

// What an attacker with a key can send: Go crashes on both of these.
TEST_P(CipherTest, empty_plaintext_and_bad_padding_are_errors) {
  Cipher cipher(ring_of({filled_key(7)}), GetParam());
  Octets out(200);
  const Octets empty1 = sealed_by(cipher, 1, {}, {});
  EXPECT_EQ(cipher.open(empty1, {}, out).error().fault, WireFault::malformed);
  const Octets empty0 = sealed_by(cipher, 0, {}, {});
  EXPECT_EQ(cipher.open(empty0, {}, out).error().fault, WireFault::malformed);

  const auto with_raw_end = [&](std::size_t size, std::initializer_list<int> end) {
    Octets plain(size, std::byte{0x41});
    std::size_t i = size - end.size();
    for (const int value : end) plain[i++] = static_cast<std::byte>(value);
    Octets sealed = sealed_by(cipher, 1, {}, plain);
    sealed[0] = std::byte{0};  // the version is not authenticated
    return cipher.open(sealed, {}, out);
  };
  EXPECT_EQ(with_raw_end(16, {255}).error().fault, WireFault::mismatch);
  EXPECT_EQ(with_raw_end(16, {17}).error().fault, WireFault::mismatch);
  EXPECT_EQ(with_raw_end(16, {0}).error().fault, WireFault::mismatch);
  EXPECT_EQ(with_raw_end(32, {3, 2}).error().fault, WireFault::mismatch);
  EXPECT_EQ(with_raw_end(20, {2, 2}).error().fault, WireFault::mismatch);
  EXPECT_EQ(with_raw_end(32, {2, 2}).value().size(), 30u);
}

TEST_P(CipherTest, rekeys_without_allocation_where_room_is_reserved) {
  Keyring ring = ring_of({filled_key(1)});
  Cipher cipher(ring, GetParam());
  Cipher other(ring_of({filled_key(2, 32)}), GetParam());
  cipher.reserve(Keyring::keys_max);
  const Octets plain(20, std::byte{0x33});
  const Octets first = sealed_by(cipher, 1, {}, plain);
  Octets out(64);
  ASSERT_TRUE(ring.add(filled_key(2, 32)) && ring.use(filled_key(2, 32)));
  const std::size_t before = openssl_allocations;
  const test::AllocationCounter allocations;
  cipher.rekey(ring);
  EXPECT_EQ(allocations.count(), 0u);
  EXPECT_EQ(openssl_allocations, before);
  EXPECT_TRUE(cipher.open(first, {}, out));
  EXPECT_TRUE(other.open(sealed_by(cipher, 1, {}, plain), {}, out));
}

TEST_P(CipherTest, rekeys) {
  Keyring ring = ring_of({filled_key(1)});
  Cipher cipher(ring, GetParam());
  Cipher old_sender(ring, GetParam());
  const Octets plain(20, std::byte{0x33});
  Octets out(64);
  const Octets from_old = sealed_by(old_sender, 1, {}, plain);

  ASSERT_TRUE(ring.add(filled_key(2, 32)));
  cipher.rekey(ring);
  EXPECT_TRUE(equal(sealed_by(cipher, 1, {}, plain), from_old)) << "still the old primary";
  ASSERT_TRUE(ring.use(filled_key(2, 32)));
  cipher.rekey(ring);
  EXPECT_TRUE(cipher.open(from_old, {}, out)) << "the old key is still in the ring";
  const Octets from_new = sealed_by(cipher, 1, {}, plain);
  EXPECT_FALSE(old_sender.open(from_new, {}, out));
  ASSERT_TRUE(ring.remove(filled_key(1)));
  cipher.rekey(ring);
  EXPECT_FALSE(cipher.open(from_old, {}, out)) << "the old key is gone";
  EXPECT_TRUE(cipher.open(from_new, {}, out));

  cipher.rekey(Keyring());
  EXPECT_FALSE(cipher.enabled());
  EXPECT_EQ(cipher.open(from_new, {}, out).error().fault, WireFault::no_key);
  cipher.rekey(ring);
  EXPECT_TRUE(cipher.open(from_new, {}, out)) << "keys may come back";
}

TEST_P(CipherTest, allocates_nothing_per_packet) {
  ASSERT_TRUE(counting);
  Cipher cipher(ring_of({filled_key(1), filled_key(2)}), GetParam());
  Octets out(2048);
  Octets plain(1400);
  Octets sealed(1500);
  std::size_t size = cipher.seal(1, nonce, {}, plain, sealed);
  ASSERT_TRUE(cipher.open(Bytes(sealed).first(size), {}, out));
  const std::size_t before = openssl_allocations;
  for (int i = 0; i < 100; ++i) {
    size = cipher.seal(static_cast<unsigned>(i % 2), nonce, {}, plain, sealed);
    ASSERT_TRUE(cipher.open(Bytes(sealed).first(size), {}, out));
  }
  EXPECT_EQ(openssl_allocations, before);
}

TEST(Cipher, engines_agree) {
  std::mt19937 random(20);
  for (const std::size_t key_size : {16u, 24u, 32u}) {
    const Keyring ring = ring_of({filled_key(0x21, key_size)});
    Cipher reference(ring, Cipher::Engine::openssl);
    Cipher fast(ring, Cipher::Engine::ipsec_mb);
    for (std::size_t size = 0; size < 600; size += 1 + random() % 7) {
      Octets plain(size);
      for (std::byte& byte : plain) byte = static_cast<std::byte>(random());
      const Octets associated(random() % 40, std::byte{0x10});
      for (const unsigned version : {0u, 1u}) {
        ASSERT_TRUE(equal(sealed_by(reference, version, associated, plain),
                          sealed_by(fast, version, associated, plain)));
      }
    }
  }
  EXPECT_EQ(Cipher(ring_of({}), Cipher::Engine::openssl).engine_name(), "openssl");
}

TEST(Cipher, plaintext_may_wait_at_its_final_place) {
  Cipher cipher(ring_of({filled_key(1)}));
  const Octets plain(50, std::byte{0x61});
  for (const unsigned version : {0u, 1u}) {
    Octets packet(Cipher::sealed_size(version, plain.size()));
    std::ranges::copy(plain, packet.begin() + 13);
    ASSERT_EQ(cipher.seal(version, nonce, {}, Bytes(packet).subspan(13, 50), packet),
              packet.size());
    EXPECT_TRUE(equal(packet, sealed_by(cipher, version, {}, plain)));
  }
}

}  // namespace
}  // namespace starling
