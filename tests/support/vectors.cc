#include "tests/support/vectors.h"

#include <fstream>
#include <iterator>
#include <map>

#include "wire/base/check.h"

namespace starling::test {
namespace {

unsigned digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  CHECK(c >= 'A' && c <= 'F');
  return static_cast<unsigned>(c - 'A' + 10);
}

}  // namespace

ByteVector load_vector_file(const std::string& file_name) {
  std::ifstream file(std::string(STARLING_SOURCE_DIR) + "/tests/vectors/" + file_name,
                     std::ios::binary);
  CHECK(file.good());
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return to_vector(text);
}

const nlohmann::json& load_vectors(const std::string& file_name) {
  static std::map<std::string, nlohmann::json> files;
  const auto [entry, is_new] = files.try_emplace(file_name);
  if (is_new) entry->second = nlohmann::json::parse(as_text(load_vector_file(file_name)));
  return entry->second;
}

ByteVector from_hex(std::string_view digits) {
  CHECK(digits.size() % 2 == 0);
  ByteVector bytes;
  bytes.reserve(digits.size() / 2);
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(digit(digits[i]) * 16 + digit(digits[i + 1])));
  }
  return bytes;
}

std::string to_hex(Bytes bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) {
    text += digits[std::to_integer<std::size_t>(byte >> 4)];
    text += digits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return text;
}

ByteVector to_vector(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}
ByteVector to_vector(std::string_view text) {
  return to_vector(as_bytes(text));
}

}  // namespace starling::test
