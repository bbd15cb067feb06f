#include "agent/keyring_file.h"

#include <nlohmann/json.hpp>

#include "agent/go_text.h"
#include "agent/text_file.h"

namespace starling::agent {

std::expected<AesKey, std::string> decode_key(std::string_view base64) {
  const auto raw = base64_decode(base64);
  if (!raw) return std::unexpected(raw.error());
  const auto key = AesKey::from(as_bytes(*raw));
  if (!key) return std::unexpected("key size must be 16, 24 or 32 bytes");
  return *key;
}

std::expected<Keyring, std::string> read_keyring_file(const std::string& path) {
  // Serf looks before it opens, and says so.
  if (!file_exists(path)) return std::unexpected("stat " + path + ": no such file or directory");
  const auto text = read_text_file(path);
  if (!text) return std::unexpected("Failed to read keyring file: " + text.error());
  return decode_keyring(*text, path);
}

std::expected<Keyring, std::string> decode_keyring(std::string_view text, const std::string& path) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  const auto wrong = [&](const std::string& why) {
    return std::unexpected("Failed to decode keyring file: " + path + ": " + why);
  };
  if (json.is_discarded()) return wrong("not JSON");
  if (!json.is_array()) return wrong("not an array");
  if (json.empty()) return std::unexpected("Keyring file contains no keys");
  Keyring keyring;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string place = "key " + std::to_string(i + 1);
    if (!json[i].is_string()) return wrong(place + " is not a string");
    const auto key = decode_key(json[i].get<std::string>());
    if (!key) return wrong(place + ": " + key.error());
    const auto added = keyring.add(*key);
    if (!added) return wrong(place + ": " + std::string(to_text(added.error())));
  }
  return keyring;
}

std::string keyring_text(const Keyring& keyring) {
  std::string text = "[";
  for (const AesKey& key : keyring.keys()) {
    text += (text.size() > 1 ? ",\n  \"" : "\n  \"") + base64_encode(as_text(key.bytes())) + "\"";
  }
  return text + (keyring.empty() ? "]" : "\n]");
}

std::expected<void, std::string> write_keyring_file(const std::string& path,
                                                    const Keyring& keyring) {
  std::string text = keyring_text(keyring);
  const auto written = write_text_file(path, text);
  wipe(std::as_writable_bytes(std::span(text)));
  if (!written) return std::unexpected("Failed to write keyring file: " + written.error());
  return {};
}

}  // namespace starling::agent
