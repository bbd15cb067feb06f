#include "agent/decode/values.h"

#include "agent/addresses.h"
#include "agent/go_text.h"

namespace starling::agent::decode {
namespace {

bool is_readable(std::string_view text) {
  while (!text.empty()) {
    const Character character = first_character(text);
    const bool control = character.code < 0x20 || character.code == 0x7f;
    if (!character.valid || (control && character.code != '\n' && character.code != '\t')) {
      return false;
    }
    text.remove_prefix(character.bytes.size());
  }
  return true;
}

int digit_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

std::string to_hex(Bytes bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const std::byte octet : bytes) {
    hex += digits[std::to_integer<std::size_t>(octet) >> 4];
    hex += digits[std::to_integer<std::size_t>(octet) & 15];
  }
  return hex;
}

std::optional<std::vector<std::byte>> parse_hex(std::string_view digits) {
  std::vector<std::byte> bytes;
  bytes.reserve(digits.size() / 2);
  int high = -1;
  for (const char digit : digits) {
    if (std::string_view(" \t\r\n:").find(digit) != std::string_view::npos) continue;
    const int value = digit_value(digit);
    if (value < 0) return std::nullopt;
    if (high < 0) {
      high = value;
    } else {
      bytes.push_back(static_cast<std::byte>(16 * high + value));
      high = -1;
    }
  }
  if (high >= 0) return std::nullopt;
  return bytes;
}

Json text_value(std::string_view text) {
  if (is_readable(text)) return std::string(text);
  return Json{{"hex", to_hex(as_bytes(text))}};
}

Json address_value(Bytes address) {
  if (address.empty()) return "";
  const IpAddress ip(address);
  if (ip.empty()) return Json{{"hex", to_hex(address)}};
  std::string text = format_address(ip);
  if (address.size() == 4 || text.find('.') == std::string::npos) return text;
  return Json{{"text", std::move(text)}, {"hex", to_hex(address)}};
}

Json payload_value(Bytes payload) {
  Json value{{"bytes", payload.size()}};
  if (payload.empty()) return value;
  if (is_readable(as_text(payload))) {
    value["text"] = std::string(as_text(payload));
  } else {
    value["hex"] = to_hex(payload);
  }
  return value;
}

void append_pair(Json& object, std::string key, Json value) {
  if (object.is_null()) object = Json::object();
  object.get_ref<Json::object_t&>().emplace_back(std::move(key), std::move(value));
}

Json fault_value(const WireError& fault) {
  return Json{{"layer", fault.layer},
              {"field", fault.field},
              {"fault", std::string(to_text(fault.fault))},
              {"offset", fault.offset}};
}

bool starts_map(Bytes value) {
  if (value.empty()) return false;
  const auto lead = std::to_integer<std::uint8_t>(value[0]);
  return (lead & 0xf0) == 0x80 || lead == 0xde || lead == 0xdf;
}

}  // namespace starling::agent::decode
