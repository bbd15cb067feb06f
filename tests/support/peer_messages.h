// Short ways to write the messages that a peer of a LoneNode sends. For tests.
#pragma once

#include <string_view>
#include <vector>

#include "core/swim/versions.h"
#include "wire/messages.h"

namespace starling::test {

inline const std::array<std::byte, 6> sane_versions = write_versions(Versions{});

// Peers live at 127.0.0.N with N from here on.
struct Peer {
  std::string_view name;
  std::uint8_t host = 2;
  IpAddress address = IpAddress::v4(127, 0, 0, host);
  Endpoint endpoint() const { return {address, 7946}; }

  Alive alive(std::uint32_t incarnation, Bytes meta = {}) const {
    return {.incarnation = Incarnation{incarnation},
            .node = name,
            .address = address.bytes(),
            .port = 7946,
            .meta = meta,
            .versions = sane_versions};
  }
};

inline Suspect suspect(std::string_view node, std::uint32_t incarnation, std::string_view from) {
  return {.incarnation = Incarnation{incarnation}, .node = node, .from = from};
}
inline Dead dead(std::string_view node, std::uint32_t incarnation, std::string_view from) {
  return {.incarnation = Incarnation{incarnation}, .node = node, .from = from};
}

// The bytes after the type byte.
inline Bytes body_of(const std::vector<std::byte>& message) {
  return Bytes(message).subspan(1);
}

}  // namespace starling::test
