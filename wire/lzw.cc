// Both directions count codes the same way: `high` is the newest code the other side can know, the
// width grows when `high` reaches the next power of two, and 4095 makes the encoder start over.
#include "wire/lzw.h"

#include <bit>
#include <cstring>

namespace starling {
namespace {

constexpr unsigned clear_code = 256;
constexpr unsigned end_code = 257;
constexpr unsigned width_min = 9;
constexpr unsigned width_max = 12;
constexpr unsigned no_code = 0xffff;
constexpr std::size_t word_bytes = 8;

// A word with `byte` at position `index` in memory, and zeros around it.
constexpr std::uint64_t nth_byte(std::uint8_t byte, unsigned index) {
  const unsigned shift = std::endian::native == std::endian::little ? 8 * index : 56 - 8 * index;
  return std::uint64_t{byte} << shift;
}

}  // namespace

// --- decoder ---------------------------------------------------------------------------------

LzwDecoder::LzwDecoder() {
  reset();
}

void LzwDecoder::fill_literals() {
  for (unsigned literal = 0; literal < clear_code; ++literal) {
    const std::uint8_t byte = static_cast<std::uint8_t>(literal);
    expansions_[literal] = {
        .tail = nth_byte(byte, 0), .length = 1, .before = 0, .count = 1, .first = byte};
  }
  literals_filled_ = true;
}

void LzwDecoder::reset() {
  input_total_ = 0;
  pending_ = false;
  done_ = false;
  failed_ = false;
  state_ = {};
  state_.start_over();
}

void LzwDecoder::State::start_over() {
  width = width_min;
  high = end_code;
  last = no_code;
}

// False when the input ends first; what was taken of it is kept.
inline bool LzwDecoder::State::read_code(Bytes input, std::size_t& at, unsigned& code) {
  while (bit_count < width) {
    if (at == input.size()) return false;
    bits |= std::to_integer<std::uint32_t>(input[at++]) << bit_count;
    bit_count += 8;
  }
  code = bits & ((1U << width) - 1);
  bits >>= width;
  bit_count -= width;
  return true;
}

// Makes `code` stand for what `prefix` stands for and one more byte.
inline void LzwDecoder::extend(unsigned code, unsigned prefix, std::uint8_t suffix) {
  const Expansion old = expansions_[prefix];
  const bool full = old.count == word_bytes;
  expansions_[code] = {
      .tail = full ? nth_byte(suffix, 0) : old.tail | nth_byte(suffix, old.count),
      .length = static_cast<std::uint16_t>(old.length + 1),
      .before = full ? static_cast<std::uint16_t>(prefix) : old.before,
      .count = static_cast<std::uint8_t>(full ? 1 : old.count + 1),
      .first = old.first,
  };
}

// Enters the data code into the dictionary; false when no encoder would write it here.
inline bool LzwDecoder::learn(State& state, unsigned code) {
  if (code > state.high) return false;
  if (state.last != no_code) {
    // A code that is just being defined starts like the one before it.
    extend(state.high, state.last, expansions_[code == state.high ? state.last : code].first);
  }
  state.last = code;
  ++state.high;
  if (state.high == 1U << state.width) {
    if (state.width == width_max) {
      state.last = no_code;
      --state.high;
    } else {
      ++state.width;
    }
  }
  return true;
}

// Writes the expansion in whole words, the last of which may spill over by seven bytes.
inline std::size_t LzwDecoder::write_whole(unsigned code, std::byte* output) const {
  const Expansion* link = &expansions_[code];
  const std::size_t length = link->length;
  std::size_t at = length - link->count;
  std::memcpy(output + at, &link->tail, word_bytes);
  while (at > 0) {
    link = &expansions_[link->before];
    at -= word_bytes;
    std::memcpy(output + at, &link->tail, word_bytes);
  }
  return length;
}

// Writes as much of the pending code's expansion as `output` takes, from pending_from_ on.
std::size_t LzwDecoder::write_pending(MutableBytes output) {
  const Expansion* link = &expansions_[pending_code_];
  const std::size_t length = link->length;
  const std::size_t from = pending_from_;
  const std::size_t to = std::min(length, from + output.size());
  std::size_t end = length;
  for (; end > from; link = &expansions_[link->before]) {
    std::array<std::byte, word_bytes> tail;
    std::memcpy(tail.data(), &link->tail, word_bytes);
    const std::size_t begin = end - link->count;
    for (std::size_t i = std::max(begin, from); i < std::min(end, to); ++i) {
      output[i - from] = tail[i - begin];
    }
    end = begin;
  }
  pending_from_ = to;
  pending_ = to < length;
  return to - from;
}

Decoded<LzwDecoder::Step> LzwDecoder::decode(Bytes input, MutableBytes output) {
  if (!literals_filled_) fill_literals();
  Step step;
  State state = state_;
  bool bad = failed_;
  while (!done_ && !bad) {
    if (pending_) {
      step.produced += write_pending(output.subspan(step.produced));
      if (pending_) break;
    }
    unsigned code = 0;
    if (!state.read_code(input, step.consumed, code)) break;
    if (code == clear_code) {
      state.start_over();
    } else if (code == end_code) {
      done_ = true;
    } else if (!learn(state, code)) {
      bad = true;
    } else if (output.size() - step.produced >= expansions_[code].length + word_bytes) {
      step.produced += write_whole(code, output.data() + step.produced);
    } else {
      pending_ = true;
      pending_code_ = code;
      pending_from_ = 0;
    }
  }
  state_ = state;
  input_total_ += step.consumed;
  failed_ = bad;
  if (bad && step.produced == 0) {
    return std::unexpected(
        WireError{"lzw", "", WireFault::malformed, static_cast<std::uint32_t>(input_total_)});
  }
  step.done = done_;
  return step;
}

Decoded<std::size_t> lzw_decode(LzwDecoder& decoder, Bytes input, MutableBytes output) {
  decoder.reset();
  const auto step = decoder.decode(input, output);
  if (!step) return std::unexpected(step.error());
  if (step->done) return step->produced;
  if (const auto again = decoder.decode({}, {}); !again) return std::unexpected(again.error());
  return std::unexpected(
      WireError{"lzw", "", decoder.needs_room() ? WireFault::too_large : WireFault::truncated,
                static_cast<std::uint32_t>(step->consumed)});
}

// --- encoder ---------------------------------------------------------------------------------

LzwEncoder::LzwEncoder() {
  slots_.fill(0);
  entries_.fill({0, 0});
  reset();
}

void LzwEncoder::reset() {
  state_ = {};
  state_.code = no_code;
  state_.start_over();
  stage_ = Stage::begin;
}

void LzwEncoder::State::start_over() {
  width = width_min;
  high = end_code;
}

inline void LzwEncoder::State::emit(unsigned number) {
  bits |= std::uint64_t{number} << bit_count;
  bit_count += width;
}

// Counts a data code; false when that was the last one before a clear code, which is written.
inline bool LzwEncoder::State::count_code() {
  ++high;
  if (high == 1U << width) ++width;
  if (high != codes_max - 1) return true;
  emit(clear_code);
  start_over();
  return false;
}

// Moves whole bytes to the output. False when two more codes might not fit into the accumulator.
inline bool LzwEncoder::State::drain(MutableBytes output, std::size_t& at) {
  while (bit_count >= 8 && at < output.size()) {
    output[at++] = static_cast<std::byte>(bits & 0xff);
    bits >>= 8;
    bit_count -= 8;
  }
  return bit_count <= 64 - 2 * width_max;
}

// Takes input until it ends or the output is full; the number of bytes taken.
inline std::size_t LzwEncoder::compress(Bytes input, MutableBytes output, std::size_t& produced) {
  State state = state_;
  std::size_t taken = 0;
  if (state.code == no_code && !input.empty()) {
    state.code = std::to_integer<unsigned>(input[taken++]);
  }
  for (; taken < input.size(); ++taken) {
    if (state.bit_count > 64 - 2 * width_max && !state.drain(output, produced)) break;
    const unsigned literal = std::to_integer<unsigned>(input[taken]);
    const std::uint32_t key = (state.code << 8) | literal;
    std::uint32_t slot = (key * 2654435761U) >> (32 - slot_bits);
    unsigned found = no_code;
    for (;;) {
      const unsigned code = slots_[slot];
      if (code <= end_code || code > state.high || entries_[code].slot != slot) break;
      if (entries_[code].key == key) {
        found = code;
        break;
      }
      slot = (slot + 1) & ((1U << slot_bits) - 1);
    }
    if (found != no_code) {
      state.code = found;
      continue;
    }
    state.emit(state.code);
    state.code = literal;
    if (state.count_code()) {
      slots_[slot] = static_cast<std::uint16_t>(state.high);
      entries_[state.high] = {key, static_cast<std::uint16_t>(slot)};
    }
  }
  state_ = state;
  return taken;
}

LzwEncoder::Step LzwEncoder::encode(Bytes input, MutableBytes output, bool last) {
  Step step;
  if (stage_ == Stage::begin) {
    state_.emit(clear_code);
    stage_ = Stage::run;
  }
  if (stage_ == Stage::run) {
    step.consumed = compress(input, output, step.produced);
    if (last && step.consumed == input.size()) stage_ = Stage::finish;
  }
  if (stage_ == Stage::finish && state_.drain(output, step.produced)) {
    if (state_.code != no_code) {
      state_.emit(state_.code);
      state_.count_code();
    }
    stage_ = Stage::end;
  }
  if (stage_ == Stage::end && state_.drain(output, step.produced)) {
    state_.emit(end_code);
    state_.bit_count = (state_.bit_count + 7) / 8 * 8;
    stage_ = Stage::done;
  }
  state_.drain(output, step.produced);
  step.done = stage_ == Stage::done && state_.bit_count == 0;
  return step;
}

std::size_t lzw_encode(LzwEncoder& encoder, Bytes input, MutableBytes output) {
  encoder.reset();
  const LzwEncoder::Step step = encoder.encode(input, output, true);
  return step.done ? step.produced : 0;
}

}  // namespace starling
