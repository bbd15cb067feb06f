// Bytes from the wire as JSON values that a person can read. Pure functions, any thread.
//
// Keys keep the order in which they were put. Nothing here trusts its input: text that is not
// UTF-8, or holds control characters, is shown as {"hex": "..."}.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/base/types.h"

namespace starling::agent::decode {

using Json = nlohmann::ordered_json;

// Lists longer than this are cut, and what is missing is counted: memory stays bounded.
inline constexpr std::size_t listed_max = 65'536;

std::string to_hex(Bytes bytes);
// Digits of both cases; white space and colons between them are skipped. Nothing for the rest.
std::optional<std::vector<std::byte>> parse_hex(std::string_view digits);

Json text_value(std::string_view text);
// "10.0.0.1"; with the raw bytes as {"text", "hex"} when IPv4 comes in 16 bytes; other sizes are
// hexadecimal.
Json address_value(Bytes address);
// {"bytes": N, "text" or "hex": ...}
Json payload_value(Bytes payload);

// Appends without looking for the key, because objects from the wire may be long.
void append_pair(Json& object, std::string key, Json value);

// {"layer", "field", "fault", "offset"}
Json fault_value(const WireError& fault);

// The first byte starts a msgpack map.
bool starts_map(Bytes value);

}  // namespace starling::agent::decode
