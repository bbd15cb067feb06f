// AES-GCM by Intel's multi-buffer library: several times faster on small packets.
//
// Only in builds that found the library, and only used on processors with AES instructions.
// Owned by a Cipher; one thread.
#pragma once

#include <memory>
#include <span>

#include "wire/aead.h"

namespace starling {

class IpsecMbGcm {
 public:
  static constexpr std::string_view name = "ipsec-mb";

  // True when the build has the library and the processor what it needs to be fast.
  static bool available();

  IpsecMbGcm();
  ~IpsecMbGcm();
  IpsecMbGcm(IpsecMbGcm&&) noexcept;
  IpsecMbGcm& operator=(IpsecMbGcm&&) noexcept;

  // Makes room for so many keys; allocates.
  void reserve(std::size_t keys);
  // Allocates when there is no room.
  void rekey(std::span<const AesKey> keys);
  std::size_t keys() const;

  // `output` has plain.size() bytes and may be the same place.
  void encrypt(std::size_t key, const Nonce& nonce, Bytes associated, Bytes plain,
               std::byte* output, std::span<std::byte, gcm_tag_bytes> tag);
  // False when the tag does not fit; `output` then holds no meaning. Same sizes as encrypt().
  bool decrypt(std::size_t key, const Nonce& nonce, Bytes associated, Bytes sealed,
               std::byte* output, std::span<const std::byte, gcm_tag_bytes> tag);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace starling
