// The recorded vectors under tests/vectors, and bytes as hexadecimal text. For tests only.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "wire/base/types.h"

namespace starling::test {

using ByteVector = std::vector<std::byte>;

// A vector file, parsed once per program: load_vectors("memberlist.json"). A missing or broken file
// ends the program.
const nlohmann::json& load_vectors(const std::string& file_name);

// The raw bytes of a file under tests/vectors.
ByteVector load_vector_file(const std::string& file_name);

// Lower or upper case digits; anything else ends the program.
ByteVector from_hex(std::string_view digits);
std::string to_hex(Bytes bytes);

ByteVector to_vector(Bytes bytes);
ByteVector to_vector(std::string_view text);

}  // namespace starling::test
