#include "agent/go_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include <fmt/format.h>

namespace starling::agent {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_value(char c) {
  const std::size_t at = alphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::string illegal_base64(std::size_t at) {
  return "illegal base64 data at input byte " + std::to_string(at);
}

// Characters that Go's strconv does not print raw, of those that occur outside tests: controls,
// format characters and spaces other than the plain one.
bool printable(char32_t code) {
  if (code < 0x20 || (code >= 0x7f && code <= 0xa0) || code == 0xad) return false;
  if (code >= 0x2000 && code <= 0x200f) return false;
  if (code >= 0x2028 && code <= 0x202f) return false;
  if (code >= 0x205f && code <= 0x206f) return false;
  return code != 0x3000 && code != 0xfeff && code != 0xfffe && code != 0xffff &&
         !(code >= 0xe000 && code <= 0xf8ff);
}

}  // namespace

Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const Character invalid{text.substr(0, 1), 0xfffd, false};
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {text.substr(0, 1), lead, true};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return invalid;
  char32_t code = lead & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return invalid;
    code = (code << 6) | (byte(i) & 0x3fU);
  }
  constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  if (code < smallest[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    return invalid;
  }
  return {text.substr(0, size), code, true};
}

std::string json_quote(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const Character character = first_character(text);
    text.remove_prefix(character.bytes.size());
    const char32_t code = character.code;
    if (!character.valid) {
      out += "\\ufffd";
    } else if (code == '"' || code == '\\') {
      out += '\\';
      out += character.bytes;
    } else if (code == '\n') {
      out += "\\n";
    } else if (code == '\r') {
      out += "\\r";
    } else if (code == '\t') {
      out += "\\t";
    } else if (code < 0x20 || code == '<' || code == '>' || code == '&' || code == 0x2028 ||
               code == 0x2029) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<std::uint32_t>(code));
    } else {
      out += character.bytes;
    }
  }
  return out + "\"";
}

std::string go_quote(std::string_view text) {
  constexpr std::string_view escaped = "\a\b\f\n\r\t\v\\\"";
  constexpr std::string_view letters = "abfnrtv\\\"";
  std::string out = "\"";
  while (!text.empty()) {
    const Character character = first_character(text);
    text.remove_prefix(character.bytes.size());
    const auto code = static_cast<std::uint32_t>(character.code);
    if (!character.valid) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}",
                     static_cast<std::uint8_t>(character.bytes[0]));
    } else if (const std::size_t at =
                   code < 0x80 ? escaped.find(static_cast<char>(code)) : std::string_view::npos;
               at != std::string_view::npos) {
      out += '\\';
      out += letters[at];
    } else if (printable(character.code)) {
      out += character.bytes;
    } else if (code < 0x80) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", code);
    } else if (code < 0x10000) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", code);
    } else {
      fmt::format_to(std::back_inserter(out), "\\U{:08x}", code);
    }
  }
  return out + "\"";
}

std::string base64_encode(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = (group << 8) | (j < count ? static_cast<std::uint8_t>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += j <= count ? alphabet[(group >> (18 - 6 * j)) & 0x3f] : '=';
    }
  }
  return out;
}

std::expected<std::string, std::string> base64_decode(std::string_view text) {
  std::string out;
  std::uint32_t group = 0;
  std::size_t digits = 0;  // of the group being read
  std::size_t at = 0;
  const auto skip_breaks = [&] {
    while (at < text.size() && (text[at] == '\n' || text[at] == '\r')) ++at;
  };
  for (skip_breaks(); at < text.size(); skip_breaks()) {
    const std::size_t here = at;
    const char c = text[at++];
    if (c != '=') {
      const int value = base64_value(c);
      if (value < 0) return std::unexpected(illegal_base64(here));
      group = (group << 6) | static_cast<std::uint32_t>(value);
      if (++digits < 4) continue;
      for (int shift = 16; shift >= 0; shift -= 8)
        out += static_cast<char>((group >> shift) & 0xff);
      group = 0;
      digits = 0;
      continue;
    }
    // Padding: only after two or three digits, completing the group, and then the end.
    if (digits < 2) return std::unexpected(illegal_base64(here));
    if (digits == 2) {
      skip_breaks();
      if (at == text.size()) return std::unexpected(illegal_base64(text.size()));
      if (text[at] != '=') return std::unexpected(illegal_base64(at));
      ++at;
    }
    skip_breaks();
    if (at < text.size()) return std::unexpected(illegal_base64(at));
    out += static_cast<char>((group >> (digits == 2 ? 4 : 10)) & 0xff);
    if (digits == 3) out += static_cast<char>((group >> 2) & 0xff);
    return out;
  }
  // Go names the start of the unfinished group.
  if (digits > 0) return std::unexpected(illegal_base64(text.size() - digits));
  return out;
}

std::string to_upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string_view trim_space(std::string_view text) {
  constexpr std::string_view spaces = " \t\n\v\f\r";
  const std::size_t first = text.find_first_not_of(spaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

}  // namespace starling::agent
