// LZW as Go's compress/lzw writes it (least significant bit first, 8-bit literals), bounded.
//
// protocol/memberlist section 3.4. Both directions are incremental machines with all their memory
// inside the object: a million-member state passes through in chunks. An object is used by one
// thread; it is large (tens of KiB), so its owner places it once and resets it for each message.
#pragma once

#include <array>

#include "wire/base/types.h"

namespace starling {

class LzwDecoder {
 public:
  LzwDecoder() { reset(); }
  void reset();

  struct Step {
    std::size_t consumed = 0;  // bytes taken from the front of the input
    std::size_t produced = 0;  // bytes written to the front of the output
    bool done = false;         // the end code was read; the rest of the input is not ours
  };
  // Decodes until the input or the output room runs out. An error is final until reset().
  // Running out of input before `done` is the caller's "truncated".
  Decoded<Step> decode(Bytes input, MutableBytes output);

 private:
  static constexpr std::size_t codes_max = 4096;
  std::array<std::uint16_t, codes_max> prefix_;
  std::array<std::uint8_t, codes_max> suffix_;
  std::array<std::uint8_t, codes_max> pending_;  // an expansion being written out, reversed
  std::size_t pending_count_;
  std::size_t input_total_;
  std::uint32_t bits_;
  unsigned bit_count_;
  unsigned width_;
  std::uint16_t high_;
  std::uint16_t overflow_;
  std::uint16_t last_;
  bool done_;
  bool failed_;
};

class LzwEncoder {
 public:
  LzwEncoder() { reset(); }
  void reset();

  struct Step {
    std::size_t consumed = 0;
    std::size_t produced = 0;
    bool done = false;  // with last = true: everything, end code included, is written
  };
  // Encodes until the input or the output room runs out; pass `last` with the final chunk.
  Step encode(Bytes input, MutableBytes output, bool last);

  // The most bytes that `input_bytes` of input can become.
  static constexpr std::size_t bound(std::size_t input_bytes) {
    return input_bytes + input_bytes / 2 + 16;
  }

 private:
  // The implementation's tables; see lzw.cc.
  static constexpr std::size_t table_size = 16384;
  std::array<std::uint32_t, table_size> table_;
  std::uint64_t bits_;
  unsigned bit_count_;
  unsigned width_;
  std::uint32_t high_;
  std::uint32_t overflow_;
  std::uint32_t code_;
  std::uint8_t stage_;
};

// Whole buffers at once, for datagrams. The decoder's error is too_large when `output` is too
// small.
Decoded<std::size_t> lzw_decode(LzwDecoder& decoder, Bytes input, MutableBytes output);
// 0 when the result does not fit in `output`.
std::size_t lzw_encode(LzwEncoder& encoder, Bytes input, MutableBytes output);

}  // namespace starling
