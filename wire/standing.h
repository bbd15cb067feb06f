// Standing: where a node's member table stands, in one extra key of pings, acks and push/pull
// headers.
//
// Peers of this kind put it there; Go's decoders skip keys that they do not know, so its presence
// is also how such peers recognise each other. Twenty bytes on the wire with its key: the key "~",
// then a raw of a version byte, the digest's root and count, and a hash of the recent user events.
#pragma once

#include <optional>

#include "wire/base/bytes.h"
#include "wire/base/types.h"

namespace starling {

struct Standing {
  std::uint64_t root = 0;    // core/digest/digest_table.h
  std::uint32_t count = 0;   // rows digested
  std::uint32_t events = 0;  // of the events that push/pull would replay
  friend bool operator==(const Standing&, const Standing&) = default;
};

inline constexpr std::size_t standing_bytes = 17;
using StandingRoom = std::array<std::byte, standing_bytes>;

// The value of the key. The bytes lie in `room`.
Bytes write_standing(const Standing& standing, StandingRoom& room);
// nullopt: of another version, or something else altogether.
std::optional<Standing> read_standing(Bytes value);

}  // namespace starling
