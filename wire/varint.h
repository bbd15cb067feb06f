// Numbers in as few bytes as they need: seven bits a byte, lowest first, the top bit says "more".
//
// Pure functions on cursors.
#pragma once

#include "wire/base/bytes.h"

namespace starling {

// Ten bytes hold 64 bits.
inline constexpr std::size_t varint_bytes_max = 10;

inline void put_varint(std::uint64_t value, Writer& out) {
  while (value >= 0x80) {
    out.u8(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  out.u8(static_cast<std::uint8_t>(value));
}

// Faults: truncated; out_of_range for more than 64 bits; malformed for a form longer than needed.
inline std::uint64_t read_varint(Reader& in) {
  const std::size_t start = in.offset();
  std::uint64_t value = 0;
  for (std::uint32_t shift = 0; shift < 7 * varint_bytes_max; shift += 7) {
    const std::uint8_t byte = in.u8();
    if (!in.ok()) return 0;
    if (shift == 63 && byte > 1) break;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) != 0) continue;
    if (byte == 0 && shift > 0) {
      in.fail_at(WireFault::malformed, start);
      return 0;
    }
    return value;
  }
  in.fail_at(WireFault::out_of_range, start);
  return 0;
}

}  // namespace starling
