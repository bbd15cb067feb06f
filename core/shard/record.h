// Records in a byte ring: a trivially copyable header and the bytes of its variable parts.
//
// Shared by commands, events and mail. Both ends are compiled together, so the layout is the
// machine's own; nothing of it reaches the wire.
#pragma once

#include <cstring>
#include <initializer_list>
#include <type_traits>

#include "core/base/ring.h"
#include "wire/base/check.h"
#include "wire/base/types.h"

namespace starling {

// False when the ring has no room: nothing is written.
template <class Header>
bool write_record(RingWriter& ring, const Header& header, std::initializer_list<Bytes> parts) {
  static_assert(std::is_trivially_copyable_v<Header>);
  std::size_t bytes = sizeof(Header);
  for (const Bytes part : parts) bytes += part.size();
  const MutableBytes room = ring.claim(bytes);
  if (room.empty()) return false;
  std::memcpy(room.data(), &header, sizeof(Header));
  std::size_t at = sizeof(Header);
  for (const Bytes part : parts) {
    if (!part.empty()) std::memcpy(room.data() + at, part.data(), part.size());
    at += part.size();
  }
  ring.commit(bytes);
  return true;
}

// Takes a record apart in the order in which it was written.
template <class Header>
struct RecordParts {
  explicit RecordParts(Bytes record) : rest(record) {
    CHECK(record.size() >= sizeof(Header));
    std::memcpy(&header, record.data(), sizeof(Header));
    rest = rest.subspan(sizeof(Header));
  }
  Bytes take(std::size_t count) {
    CHECK(count <= rest.size());
    const Bytes taken = rest.first(count);
    rest = rest.subspan(count);
    return taken;
  }

  Header header;
  Bytes rest;
};

}  // namespace starling
