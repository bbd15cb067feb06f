#include "wire/aead_openssl.h"

#include <openssl/evp.h>

#include "wire/base/check.h"

namespace starling {
namespace {

const EVP_CIPHER* cipher_for(const AesKey& key) {
  switch (key.bytes().size()) {
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

void OpensslGcm::rekey(std::span<const AesKey> keys) {
  keys_.clear();
  keys_.reserve(keys.size());
  for (const AesKey& key : keys) {
    Contexts contexts{Context(EVP_CIPHER_CTX_new()), Context(EVP_CIPHER_CTX_new())};
    CHECK(contexts.encrypt && contexts.decrypt);
    const unsigned char* raw = octets(key.bytes().data());
    CHECK(EVP_EncryptInit_ex(contexts.encrypt.get(), cipher_for(key), nullptr, raw, nullptr) == 1);
    CHECK(EVP_DecryptInit_ex(contexts.decrypt.get(), cipher_for(key), nullptr, raw, nullptr) == 1);
    keys_.push_back(std::move(contexts));
  }
}

void OpensslGcm::encrypt(std::size_t key, const Nonce& nonce, Bytes associated, Bytes plain,
                         std::byte* output, std::span<std::byte, gcm_tag_bytes> tag) {
  EVP_CIPHER_CTX* context = keys_[key].encrypt.get();
  CHECK(EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, octets(nonce.data())) == 1);
  add_associated(context, associated);
  process(context, plain, output);
  int written = 0;
  CHECK(EVP_EncryptFinal_ex(context, octets(tag.data()), &written) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, gcm_tag_bytes, tag.data()) == 1);
}

bool OpensslGcm::decrypt(std::size_t key, const Nonce& nonce, Bytes associated, Bytes sealed,
                         std::byte* output, std::span<const std::byte, gcm_tag_bytes> tag) {
  EVP_CIPHER_CTX* context = keys_[key].decrypt.get();
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
