// The set of encryption keys: an immutable-style value, replaced whole. Primary first.
//
// protocol/memberlist section 18. Only the primary encrypts; every key is tried for decryption.
#pragma once

#include <optional>

#include "wire/base/types.h"

namespace starling {

// Overwrites secrets so that the compiler cannot drop the writes.
void wipe(MutableBytes secret);

// One AES key of 16, 24 or 32 bytes. Wiped when it dies or is overwritten.
class AesKey {
 public:
  static constexpr std::size_t bytes_max = 32;
  // nullopt unless `raw` has 16, 24 or 32 bytes.
  static std::optional<AesKey> from(Bytes raw);
  AesKey(const AesKey&) = default;
  AesKey& operator=(const AesKey&) = default;
  ~AesKey() { wipe(octets_); }

  Bytes bytes() const { return Bytes(octets_).first(size_); }
  // Takes the same time wherever the keys differ.
  friend bool operator==(const AesKey& a, const AesKey& b);

 private:
  AesKey() = default;
  std::array<std::byte, bytes_max> octets_{};
  std::uint8_t size_ = 0;
  friend class Keyring;
};

enum class KeyringError : std::uint8_t { full, not_found, is_primary };
std::string_view to_text(KeyringError error);

class Keyring {
 public:
  static constexpr std::size_t keys_max = 64;

  bool empty() const { return count_ == 0; }
  std::span<const AesKey> keys() const { return std::span(keys_).first(count_); }
  const AesKey& primary() const { return keys_[0]; }
  bool contains(const AesKey& key) const;

  // Appends; no change when present. The first key becomes primary.
  std::expected<void, KeyringError> add(const AesKey& key);
  // Moves a present key to the front; the others keep their order.
  std::expected<void, KeyringError> use(const AesKey& key);
  // Refuses the primary; an unknown key is a success without change.
  std::expected<void, KeyringError> remove(const AesKey& key);

 private:
  // The place of `key`, or count_.
  std::size_t find(const AesKey& key) const;

  std::array<AesKey, keys_max> keys_{};
  std::size_t count_ = 0;
};

}  // namespace starling
