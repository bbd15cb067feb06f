// Frames as a capture has them, built by hand: IPv4 or IPv6 around UDP or TCP. For tests only.
#pragma once

#include <string>

#include "wire/base/types.h"

namespace starling::agent::decode {

struct TcpFields {
  std::uint32_t sequence = 0;
  std::uint8_t flags = 0;  // 1 FIN, 2 SYN, 4 RST
};

inline std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

inline std::string udp(std::uint16_t from, std::uint16_t to, const std::string& payload) {
  return big_endian(from, 2) + big_endian(to, 2) + big_endian(8 + payload.size(), 2) +
         big_endian(0, 2) + payload;
}

inline std::string tcp(std::uint16_t from, std::uint16_t to, const TcpFields& fields,
                       const std::string& payload) {
  return big_endian(from, 2) + big_endian(to, 2) + big_endian(fields.sequence, 4) +
         big_endian(0, 4) + "\x50" + static_cast<char>(fields.flags) + big_endian(0xffff, 2) +
         big_endian(0, 4) + payload;
}

// From 10.0.0.1 to 10.0.0.2. `fragment` is the field of flags and offset.
inline std::string ipv4(char protocol, const std::string& content, std::uint16_t fragment = 0) {
  return "\x45" + big_endian(0, 1) + big_endian(20 + content.size(), 2) + big_endian(0, 2) +
         big_endian(fragment, 2) + "\x40" + std::string(1, protocol) + big_endian(0, 2) +
         big_endian(0x0a000001, 4) + big_endian(0x0a000002, 4) + content;
}

// From ::1 to ::2.
inline std::string ipv6(char next, const std::string& content) {
  return "\x60" + big_endian(0, 3) + big_endian(content.size(), 2) + std::string(1, next) + "\x40" +
         std::string(15, '\0') + "\x01" + std::string(15, '\0') + "\x02" + content;
}

inline std::string ethernet(std::uint16_t type, const std::string& content) {
  return std::string(12, 'm') + big_endian(type, 2) + content;
}

}  // namespace starling::agent::decode
