// Encryption keys from the command line and from a keyring file. protocol/serf section 16.3.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "wire/keyring.h"

namespace starling::agent {

// One base64 key of 16, 24 or 32 bytes. The error says what is wrong with it.
std::expected<AesKey, std::string> decode_key(std::string_view base64);

// A JSON array of base64 keys, the first one primary. The error names the file and the key at
// fault.
std::expected<Keyring, std::string> read_keyring_file(const std::string& path);
// The same of its text; `path` is for the error.
std::expected<Keyring, std::string> decode_keyring(std::string_view text, const std::string& path);

// What is written of a keyring: secret, to be wiped.
std::string keyring_text(const Keyring& keyring);
// As Serf writes it: the primary first, two spaces of indentation, no newline at the end, mode
// 0600. The old content stays until the new is there whole.
std::expected<void, std::string> write_keyring_file(const std::string& path,
                                                    const Keyring& keyring);

}  // namespace starling::agent
