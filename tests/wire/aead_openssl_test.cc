#include "wire/aead_openssl.h"

#include <gtest/gtest.h>

#include "tests/wire/gcm_engine_test.h"

namespace starling {
namespace {

TEST(OpensslGcm, published_answers) {
  OpensslGcm engine;
  expect_published_answers(engine);
}

TEST(OpensslGcm, no_keys_after_an_empty_rekey) {
  OpensslGcm engine;
  engine.rekey(std::array{*AesKey::from(test::from_hex("00000000000000000000000000000000"))});
  EXPECT_EQ(engine.keys(), 1u);
  engine.rekey({});
  EXPECT_EQ(engine.keys(), 0u);
}

}  // namespace
}  // namespace starling
