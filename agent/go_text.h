// Text as Go prints it: JSON strings, %q, base64 with its error text.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace starling::agent {

// A JSON string with quotes, escaped as Go's encoding/json does: < > & and U+2028, U+2029 too;
// bytes that are not UTF-8 become U+FFFD.
std::string json_quote(std::string_view text);

// Go's %q: double quotes, backslash escapes, \x for bytes that are not UTF-8.
std::string go_quote(std::string_view text);

// Standard base64 with padding.
std::string base64_encode(std::string_view bytes);
// The error is Go's, e.g. "illegal base64 data at input byte 3". Line breaks are skipped.
std::expected<std::string, std::string> base64_decode(std::string_view text);

// One character from the front of `text`: its bytes, and whether they are valid UTF-8. An invalid
// sequence is one byte. `text` must not be empty.
struct Character {
  std::string_view bytes;
  char32_t code = 0;
  bool valid = false;
};
Character first_character(std::string_view text);

std::string to_upper(std::string_view text);  // ASCII
std::string to_lower(std::string_view text);  // ASCII
std::vector<std::string> split(std::string_view text, char separator);
// Go's strings.TrimSpace for ASCII.
std::string_view trim_space(std::string_view text);

}  // namespace starling::agent
