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

}  // namespace starling::agent
