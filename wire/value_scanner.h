// Finds where a msgpack value ends, when the value arrives in pieces.
//
// The problem: a push/pull is a row of msgpack values without lengths, cut anywhere by TCP. The
// idea: look at every byte once, keep only the counts of the open arrays and maps, and decode a
// value when all of it is there. The work per byte stays constant however small the pieces are.
//
// ValueScanner is the machine; ValueCarry adds a buffer that joins a split value. Both are values
// owned by one reader and used by one thread. Neither allocates.
#pragma once

#include "wire/base/types.h"

namespace starling {

// Arrays and maps inside each other; protocol/memberlist section 21 advises a bound.
inline constexpr std::size_t msgpack_nesting_max = 32;

class ValueScanner {
 public:
  // Takes bytes from the front of `input`, up to the end of the value at most, and says how many.
  // Errors: malformed (byte c1) and too_deep; final until reset(). The offset in the error counts
  // from the start of this `input`.
  Decoded<std::size_t> scan(Bytes input);
  // The last byte of the value has been taken.
  bool complete() const { return open_[0] == 0; }
  void reset();

 private:
  enum class Length : std::uint8_t { none, payload, extension, array, map };

  bool lead(std::uint8_t byte);
  bool length_known();
  bool open(std::uint64_t values);
  void close();

  // open_[0] counts the value itself, open_[n] the values missing in the n-th open container.
  std::array<std::uint64_t, msgpack_nesting_max + 1> open_ = {1};
  std::size_t depth_ = 0;
  std::uint64_t skip_ = 0;    // payload bytes still to pass over
  std::uint64_t length_ = 0;  // a length field read so far
  std::uint8_t length_bytes_left_ = 0;
  Length length_of_ = Length::none;
  WireFault fault_ = WireFault::malformed;
};

class ValueCarry {
 public:
  // `room` holds a value that a chunk boundary splits; the owner keeps it alive. No value may be
  // longer than `room`, split or not, so that the result never depends on the boundaries.
  explicit ValueCarry(MutableBytes room) : room_(room) {}

  // The next whole value: a view into `chunk` when all of it is there, into the room otherwise,
  // valid until the next call. Removes its bytes from the front of `chunk`. Empty when the chunk
  // ends first; the chunk is then used up. Errors as ValueScanner, and too_large; final.
  Decoded<Bytes> next(Bytes& chunk);
  // Bytes of a split value held at the moment.
  std::size_t held() const { return held_; }
  // The longest value.
  std::size_t room() const { return room_.size(); }

 private:
  MutableBytes room_;
  std::size_t held_ = 0;
  ValueScanner scanner_;
};

}  // namespace starling
