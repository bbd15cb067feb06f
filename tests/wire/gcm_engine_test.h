// Known answers that both AES-GCM engines must give: test cases of the GCM specification.
#pragma once

#include <gtest/gtest.h>

#include "tests/support/vectors.h"
#include "wire/aead.h"

namespace starling {

struct GcmAnswer {
  const char* key;
  const char* nonce;
  const char* associated;
  const char* plain;
  const char* sealed;
  const char* tag;
};

// Cases 1, 2, 4, 10 and 16: every key size, with and without text and associated data.
inline constexpr std::array<GcmAnswer, 5> gcm_answers{{
    {"00000000000000000000000000000000", "000000000000000000000000", "", "", "",
     "58e2fccefa7e3061367f1d57a4e7455a"},
    {"00000000000000000000000000000000", "000000000000000000000000", "",
     "00000000000000000000000000000000", "0388dace60b6a392f328c2b971b2fe78",
     "ab6e47d42cec13bdf53a67b21257bddf"},
    {"feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
     "b525b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84"
     "aa051ba30b396a0aac973d58e091",
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
     "b525b16aedf5aa0de657ba637b39",
     "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a"
     "3f4718e2448b2fe324d9ccda2710",
     "2519498e80f1478f37ba55bd6d27618c"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
     "b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828"
     "838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
}};

template <class Engine>
void expect_published_answers(Engine& engine) {
  std::vector<AesKey> keys;
  for (const GcmAnswer& answer : gcm_answers) {
    keys.push_back(*AesKey::from(test::from_hex(answer.key)));
  }
  engine.rekey(keys);
  ASSERT_EQ(engine.keys(), keys.size());
  for (std::size_t i = 0; i < gcm_answers.size(); ++i) {
    SCOPED_TRACE(i);
    const GcmAnswer& answer = gcm_answers[i];
    const auto plain = test::from_hex(answer.plain);
    const auto associated = test::from_hex(answer.associated);
    Nonce nonce;
    std::ranges::copy(test::from_hex(answer.nonce), nonce.begin());

    test::ByteVector sealed(plain.size());
    std::array<std::byte, gcm_tag_bytes> tag;
    engine.encrypt(i, nonce, associated, plain, sealed.data(), tag);
    EXPECT_EQ(test::to_hex(sealed), answer.sealed);
    EXPECT_EQ(test::to_hex(tag), answer.tag);

    test::ByteVector opened = sealed;  // in place
    EXPECT_TRUE(engine.decrypt(i, nonce, associated, opened, opened.data(), tag));
    EXPECT_EQ(test::to_hex(opened), answer.plain);
    tag[15] ^= std::byte{0x80};
    EXPECT_FALSE(engine.decrypt(i, nonce, associated, sealed, opened.data(), tag));
  }
}

}  // namespace starling
