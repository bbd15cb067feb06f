// AES-GCM by OpenSSL: the reference engine, everywhere available.
//
// One context per key and direction is kept, so a packet costs a new nonce and no key schedule.
// Owned by a Cipher; one thread.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "wire/aead.h"

struct evp_cipher_ctx_st;

namespace starling {

class OpensslGcm {
 public:
  static constexpr std::string_view name = "openssl";

  // Allocates.
  void rekey(std::span<const AesKey> keys);
  std::size_t keys() const { return keys_.size(); }

  // `output` has plain.size() bytes and may be the same place.
  void encrypt(std::size_t key, const Nonce& nonce, Bytes associated, Bytes plain,
               std::byte* output, std::span<std::byte, gcm_tag_bytes> tag);
  // False when the tag does not fit; `output` then holds no meaning. Same sizes as encrypt().
  bool decrypt(std::size_t key, const Nonce& nonce, Bytes associated, Bytes sealed,
               std::byte* output, std::span<const std::byte, gcm_tag_bytes> tag);

 private:
  struct FreeContext {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  using Context = std::unique_ptr<evp_cipher_ctx_st, FreeContext>;
  struct Contexts {
    Context encrypt;
    Context decrypt;
  };
  std::vector<Contexts> keys_;
};

}  // namespace starling
