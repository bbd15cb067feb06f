// AES-GCM by OpenSSL: the reference engine, everywhere available.
//
// A context is kept for each place and size of key, so that a packet costs a new nonce and no key
// schedule, and another key no memory. GCM works the same way in both directions, so one context
// serves both. Owned by a Cipher; one thread.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "wire/aead.h"

struct evp_cipher_ctx_st;

namespace starling {

class OpensslGcm {
 public:
  static constexpr std::string_view name = "openssl";

  // Makes room for so many keys; allocates.
  void reserve(std::size_t keys);
  // Allocates when there is no room.
  void rekey(std::span<const AesKey> keys);
  std::size_t keys() const { return key_count_; }

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
  // One for each size of key: another size in the same context would allocate.
  struct Place {
    std::array<Context, 3> contexts;
    std::size_t used = 0;  // index of the one that holds the key
  };
  evp_cipher_ctx_st* context_of(std::size_t key) {
    return places_[key].contexts[places_[key].used].get();
  }
  std::vector<Place> places_;
  std::size_t key_count_ = 0;
};

}  // namespace starling
