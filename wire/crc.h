// The CRC wrapper (type 12): CRC-32 (IEEE) over the inner message. protocol/memberlist section 4.3.
#pragma once

#include "wire/base/types.h"

namespace starling {

inline constexpr std::size_t crc_header_bytes = 5;

// CRC-32 as in zlib and Ethernet. ISA-L where the build found it, zlib otherwise; same value.
std::uint32_t crc32_ieee(Bytes bytes);

// `message` starts with type byte 12 and has at least 5 bytes; the result is the inner message.
Decoded<Bytes> strip_crc(Bytes message);
// Fills the 5 header bytes for `inner`, which follows them in the caller's buffer.
void fill_crc_header(std::span<std::byte, crc_header_bytes> header, Bytes inner);

}  // namespace starling
