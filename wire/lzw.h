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
  LzwDecoder();
  void reset();

  struct Step {
    std::size_t consumed = 0;  // bytes taken from the front of the input
    std::size_t produced = 0;  // bytes written to the front of the output
    bool done = false;         // the end code was read; the rest of the input is not ours
  };
  // Decodes until the input or the output room runs out. An error is final until reset(),
  // and comes alone: what was decoded before it is given first, so that pieces change nothing.
  // Running out of input before `done` is the caller's "truncated".
  Decoded<Step> decode(Bytes input, MutableBytes output);

  // The last call stopped because the next bytes had no room in the output, or in front of an
  // error: call again, also without input.
  bool needs_room() const { return pending_ || failed_; }

 private:
  static constexpr std::size_t codes_max = 4096;

  // What a code stands for: the expansion of `before` (none when `length` <= 8), then `count` bytes
  // of `tail`, which holds them in memory order. Every link but the last holds eight bytes, so that
  // long runs are copied in words.
  struct Expansion {
    std::uint64_t tail;
    std::uint16_t length;
    std::uint16_t before;
    std::uint8_t count;
    std::uint8_t first;
  };
  // The changing part, small enough for registers.
  struct State {
    std::uint32_t bits = 0;
    unsigned bit_count = 0;
    unsigned width = 0;
    unsigned high = 0;
    unsigned last = 0;
    void start_over();
    bool read_code(Bytes input, std::size_t& at, unsigned& code);
  };

  void fill_literals();
  bool learn(State& state, unsigned code);
  void extend(unsigned code, unsigned prefix, std::uint8_t suffix);
  std::size_t write_whole(unsigned code, std::byte* output) const;
  std::size_t write_pending(MutableBytes output);

  // Not initialised: a decoder that is never used touches no page of it. The literals are filled
  // before the first code is read, and no other code is looked up before it was defined.
  std::array<Expansion, codes_max> expansions_;
  bool literals_filled_ = false;
  std::size_t input_total_;
  std::size_t pending_from_;  // bytes of the pending code already written
  State state_;
  unsigned pending_code_;
  bool pending_;
  bool done_;
  bool failed_;
};

class LzwEncoder {
 public:
  LzwEncoder();
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
  enum class Stage : std::uint8_t { begin, run, finish, end, done };
  static constexpr unsigned slot_bits = 13;  // half full at most: 3837 codes in 8192 slots
  static constexpr unsigned codes_max = 4096;

  // A slot names a code, and the code names its slot. They agree only when the slot was filled
  // since the last clear, so clearing is one assignment (high_), however large the tables are.
  struct Entry {
    std::uint32_t key;
    std::uint16_t slot;
  };

  // The changing part, small enough for registers.
  struct State {
    std::uint64_t bits = 0;
    unsigned bit_count = 0;
    unsigned width = 0;
    unsigned high = 0;
    unsigned code = 0;
    void start_over();
    void emit(unsigned number);
    bool count_code();
    bool drain(MutableBytes output, std::size_t& at);
  };

  std::size_t compress(Bytes input, MutableBytes output, std::size_t& produced);

  std::array<std::uint16_t, 1U << slot_bits> slots_;
  std::array<Entry, codes_max> entries_;
  State state_;
  Stage stage_;
};

// Whole buffers at once, for datagrams. Both reset the machine first. The decoder's errors:
// too_large when `output` is too small, truncated when the end code is missing, malformed.
Decoded<std::size_t> lzw_decode(LzwDecoder& decoder, Bytes input, MutableBytes output);
// 0 when the result does not fit in `output`.
std::size_t lzw_encode(LzwEncoder& encoder, Bytes input, MutableBytes output);

}  // namespace starling
