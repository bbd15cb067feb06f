#include "wire/aead_ipsec_mb.h"

#include <gtest/gtest.h>

#include "tests/wire/gcm_engine_test.h"

namespace starling {
namespace {

TEST(IpsecMbGcm, published_answers) {
  if (!IpsecMbGcm::available()) GTEST_SKIP() << "this processor has no AES instructions";
  IpsecMbGcm engine;
  expect_published_answers(engine);
}

TEST(IpsecMbGcm, no_keys_after_an_empty_rekey) {
  if (!IpsecMbGcm::available()) GTEST_SKIP() << "this processor has no AES instructions";
  IpsecMbGcm engine;
  engine.rekey(std::array{*AesKey::from(test::from_hex("00000000000000000000000000000000"))});
  EXPECT_EQ(engine.keys(), 1u);
  engine.rekey({});
  EXPECT_EQ(engine.keys(), 0u);
  EXPECT_EQ(Cipher(Keyring()).engine_name(), IpsecMbGcm::name);
}

}  // namespace
}  // namespace starling
