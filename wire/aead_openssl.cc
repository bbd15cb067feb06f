#include "wire/aead_openssl.h"

#include <openssl/evp.h>

#include <algorithm>

#include "wire/base/check.h"

namespace starling {
namespace {

constexpr std::array<std::size_t, 3> key_sizes{16, 24, 32};

const EVP_CIPHER* cipher_for(std::size_t size) {
  switch (size) {
    case 16:
      return EVP_aes_128_gcm();
    case 24:
      return EVP_aes_192_gcm();
    default:
      return EVP_aes_256_gcm();
  }
}

const unsigned char* octets(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}
unsigned char* octets(std::byte* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}

// OpenSSL counts in int; a stream frame is capped far below, a larger one is our own mistake.
int length_of(Bytes bytes) {
  CHECK(bytes.size() <= 0x7fffffff);
  return static_cast<int>(bytes.size());
}

void add_associated(EVP_CIPHER_CTX* context, Bytes associated) {
  if (associated.empty()) return;
  int written = 0;
  CHECK(EVP_CipherUpdate(context, nullptr, &written, octets(associated.data()),
                         length_of(associated)) == 1);
}

void process(EVP_CIPHER_CTX* context, Bytes input, std::byte* output) {
  if (input.empty()) return;
  int written = 0;
  CHECK(EVP_CipherUpdate(context, octets(output), &written, octets(input.data()),
                         length_of(input)) == 1);
}

}  // namespace

void OpensslGcm::FreeContext::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);  // wipes the key schedule
}

void OpensslGcm::reserve(std::size_t keys) {
  while (places_.size() < keys) {
    Place& place = places_.emplace_back();
    for (std::size_t i = 0; i < key_sizes.size(); ++i) {
      place.contexts[i].reset(EVP_CIPHER_CTX_new());
      CHECK(place.contexts[i] != nullptr);
      CHECK(EVP_EncryptInit_ex(place.contexts[i].get(), cipher_for(key_sizes[i]), nullptr, nullptr,
                               nullptr) == 1);
    }
  }
}

void OpensslGcm::rekey(std::span<const AesKey> keys) {
  reserve(keys.size());
  const auto set_key = [](EVP_CIPHER_CTX* context, const unsigned char* key) {
    CHECK(EVP_EncryptInit_ex(context, nullptr, nullptr, key, nullptr) == 1);
  };
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto size = std::ranges::find(key_sizes, keys[i].bytes().size());
    places_[i].used = static_cast<std::size_t>(size - key_sizes.begin());
    set_key(context_of(i), octets(keys[i].bytes().data()));
  }
  // A schedule of a key that is gone must not stay behind.
  constexpr std::array<unsigned char, AesKey::bytes_max> zeros{};
  for (std::size_t i = keys.size(); i < key_count_; ++i) set_key(context_of(i), zeros.data());
  key_count_ = keys.size();
}

void OpensslGcm::encrypt(std::size_t key, const Nonce& nonce, Bytes associated, Bytes plain,
                         std::byte* output, std::span<std::byte, gcm_tag_bytes> tag) {
  EVP_CIPHER_CTX* context = context_of(key);
  CHECK(EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, octets(nonce.data())) == 1);
  add_associated(context, associated);
  process(context, plain, output);
  int written = 0;
  CHECK(EVP_EncryptFinal_ex(context, octets(tag.data()), &written) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, gcm_tag_bytes, tag.data()) == 1);
}

bool OpensslGcm::decrypt(std::size_t key, const Nonce& nonce, Bytes associated, Bytes sealed,
                         std::byte* output, std::span<const std::byte, gcm_tag_bytes> tag) {
  EVP_CIPHER_CTX* context = context_of(key);
  CHECK(EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, octets(nonce.data())) == 1);
  add_associated(context, associated);
  process(context, sealed, output);
  std::array<std::byte, gcm_tag_bytes> expected;
  std::copy(tag.begin(), tag.end(), expected.begin());
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, gcm_tag_bytes, expected.data()) == 1);
  std::array<unsigned char, gcm_tag_bytes> nothing;
  int written = 0;
  return EVP_DecryptFinal_ex(context, nothing.data(), &written) == 1;  // compares in constant time
}

}  // namespace starling
