// AES-GCM of packets and stream frames, versions 0 (PKCS#7 padded) and 1.
//
// protocol/memberlist sections 4.4 and 5.1. A Cipher holds expanded keys for a Keyring, so that no
// key schedule and no allocation happens per packet. ipsec-mb where the build and the processor
// have it, OpenSSL otherwise: same bytes. One thread uses a Cipher.
#pragma once

#include <memory>

#include "wire/base/types.h"
#include "wire/keyring.h"

namespace starling {

inline constexpr std::size_t nonce_bytes = 12;
inline constexpr std::size_t gcm_tag_bytes = 16;
using Nonce = std::array<std::byte, nonce_bytes>;

// Version byte, nonce and tag; version 0 adds 1..16 bytes of padding.
inline constexpr std::size_t encrypt_overhead_v1 = 29;
inline constexpr std::size_t encrypt_overhead_v0_max = 45;

class Cipher {
 public:
  enum class Engine : std::uint8_t { best, openssl, ipsec_mb };

  // Allocates its key schedules here, in reserve(), and in rekey() beyond what was reserved.
  explicit Cipher(const Keyring& keyring, Engine engine = Engine::best);
  ~Cipher();
  Cipher(Cipher&&) noexcept;
  Cipher& operator=(Cipher&&) noexcept;

  // Room for so many keys, so that rekey() allocates nothing.
  void reserve(std::size_t keys);
  void rekey(const Keyring& keyring);
  bool enabled() const;  // the keyring is not empty
  std::string_view engine_name() const;

  // Bytes that seal() writes for `plain_bytes`.
  static std::size_t sealed_size(unsigned version, std::size_t plain_bytes);
  // Writes version, nonce, ciphertext, tag to `output`; the number of bytes, 0 when it is too
  // small. `plain` may lie inside `output` only at its final position (offset 13).
  std::size_t seal(unsigned version, const Nonce& nonce, Bytes associated, Bytes plain,
                   MutableBytes output);

  // Opens version, nonce, ciphertext, tag with any key of the ring. The result is a view into
  // `output`, which needs sealed.size() - 29 bytes and may be the ciphertext's own place.
  // Bad padding counts as a failed decryption; empty plaintext is an error.
  Decoded<Bytes> open(Bytes sealed, Bytes associated, MutableBytes output);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace starling
