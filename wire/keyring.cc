#include "wire/keyring.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

namespace starling {

void wipe(MutableBytes secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
}

std::optional<AesKey> AesKey::from(Bytes raw) {
  if (raw.size() != 16 && raw.size() != 24 && raw.size() != 32) return std::nullopt;
  AesKey key;
  std::copy(raw.begin(), raw.end(), key.octets_.begin());
  key.size_ = static_cast<std::uint8_t>(raw.size());
  return key;
}

bool operator==(const AesKey& a, const AesKey& b) {
  return CRYPTO_memcmp(a.octets_.data(), b.octets_.data(), AesKey::bytes_max) == 0 &&
         a.size_ == b.size_;
}

std::string_view to_text(KeyringError error) {
  switch (error) {
    case KeyringError::full:
      return "keyring is full";
    case KeyringError::not_found:
      return "key is not in the keyring";
    case KeyringError::is_primary:
      return "the primary key cannot be removed";
  }
  std::unreachable();
}

std::size_t Keyring::find(const AesKey& key) const {
  const auto present = keys();
  return static_cast<std::size_t>(std::ranges::find(present, key) - present.begin());
}

bool Keyring::contains(const AesKey& key) const {
  return find(key) < count_;
}

std::expected<void, KeyringError> Keyring::add(const AesKey& key) {
  if (contains(key)) return {};
  if (count_ == keys_max) return std::unexpected(KeyringError::full);
  keys_[count_++] = key;
  return {};
}

std::expected<void, KeyringError> Keyring::use(const AesKey& key) {
  const std::size_t place = find(key);
  if (place == count_) return std::unexpected(KeyringError::not_found);
  const auto first = keys_.begin();
  const auto found = first + static_cast<std::ptrdiff_t>(place);
  std::rotate(first, found, found + 1);
  return {};
}

std::expected<void, KeyringError> Keyring::remove(const AesKey& key) {
  const std::size_t place = find(key);
  if (place == count_) return {};
  if (place == 0) return std::unexpected(KeyringError::is_primary);
  std::copy(keys_.begin() + static_cast<std::ptrdiff_t>(place) + 1,
            keys_.begin() + static_cast<std::ptrdiff_t>(count_),
            keys_.begin() + static_cast<std::ptrdiff_t>(place));
  keys_[--count_] = AesKey();  // no copy of a key stays behind the end
  return {};
}

}  // namespace starling
