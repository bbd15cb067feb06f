// Compound datagrams (type 7): several messages behind a table of 16-bit lengths.
//
// protocol/memberlist section 4.1. Peers before 0.2.4 misread 128 or more parts and crash on an
// empty part, so the builder never makes either.
#pragma once

#include "wire/base/bytes.h"
#include "wire/base/types.h"

namespace starling {

inline constexpr std::size_t compound_parts_max = 127;
inline constexpr std::size_t compound_header_bytes = 2;
inline constexpr std::size_t compound_part_overhead_bytes = 2;

// Walks the parts of a compound body (the bytes after the type byte), without allocation.
//   CompoundReader parts(body); while (parts.next(part)) use(part); if (parts.cut_short()) count();
class CompoundReader {
 public:
  // An error when there is no count byte or the length table is short: the whole packet is dropped.
  static Decoded<CompoundReader> open(Bytes body);
  // The next part, in order. False at the end, or at the first part that does not fit.
  bool next(Bytes& part);
  // True when the last parts were announced but not there; those before them are valid.
  bool cut_short() const { return cut_short_; }
  std::size_t announced() const { return count_; }

 private:
  CompoundReader(Bytes lengths, Bytes parts, std::size_t count)
      : lengths_(lengths), parts_(parts), count_(count) {}
  Bytes lengths_;
  Bytes parts_;
  std::size_t count_;
  std::size_t at_ = 0;
  bool cut_short_ = false;
};

// Collects messages into one datagram body. Parts are copied to the front of the room one after the
// other; finish() moves them up behind the length table, whose size is known only then. One part
// stays bare, none gives empty bytes.
class CompoundBuilder {
 public:
  // `room` bounds the finished datagram, header included.
  explicit CompoundBuilder(MutableBytes room) : room_(room) {}

  // False (and no change) when the part is empty, does not fit, or 127 parts are in.
  bool add(Bytes part);
  std::size_t parts() const { return count_; }
  // Bytes that finish() would return now.
  std::size_t size() const;
  // The finished message, at the front of `room`. Further add() calls are a CHECK failure.
  Bytes finish();

 private:
  MutableBytes room_;
  std::array<std::uint16_t, compound_parts_max> lengths_;
  std::size_t count_ = 0;
  std::size_t body_bytes_ = 0;
  bool finished_ = false;
};

}  // namespace starling
