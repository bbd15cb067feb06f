// A small bump area for decoded fields that are not contiguous in the input.
//
// Go peers accept a byte field sent as a msgpack array of small integers; decoding it needs a copy.
// A Scratch must live as long as the message decoded with it. A value on somebody's stack, used by
// one thread; its memory is inside, untouched until a sender uses such a form.
#pragma once

#include "wire/base/types.h"

namespace starling {

class Scratch {
 public:
  // 1 KiB holds every legitimate field.
  static constexpr std::size_t bytes_max = 1024;

  std::size_t left() const { return bytes_max - used_; }
  // Empty when `count` bytes are no longer free.
  MutableBytes take(std::size_t count) {
    if (count > left()) return {};
    const MutableBytes taken = MutableBytes(room_).subspan(used_, count);
    used_ += count;
    return taken;
  }
  void reset() { used_ = 0; }

 private:
  // Left uninitialised on purpose: clearing it would cost more than decoding a ping.
  std::array<std::byte, bytes_max> room_;
  std::size_t used_ = 0;
};

}  // namespace starling
