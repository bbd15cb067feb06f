// Both directions count codes the same way: `high` is the newest code the other side can know, the
// width grows when `high` reaches the next power of two, and 4095 makes the encoder start over.
#include "wire/lzw.h"

#include <cstring>

namespace starling {
namespace {

constexpr unsigned clear_code = 256;
constexpr unsigned end_code = 257;
constexpr unsigned width_min = 9;
constexpr unsigned width_max = 12;
constexpr unsigned no_code = 0xffff;

}  // namespace

// --- decoder ---------------------------------------------------------------------------------

LzwDecoder::LzwDecoder() {
  for (unsigned code = 0; code < codes_max; ++code) {
    const std::byte literal = static_cast<std::byte>(code & 0xff);
    expansions_[code] = {{literal}, 1, 0, 1, literal};
  }
  reset();
}

void LzwDecoder::reset() {
  input_total_ = 0;
  bits_ = 0;
  bit_count_ = 0;
  pending_ = false;
  done_ = false;
  failed_ = false;
  start_over();
}

void LzwDecoder::start_over() {
  width_ = width_min;
  high_ = end_code;
  last_ = no_code;
}

// False when the input ends first; what was taken of it is kept.
inline bool LzwDecoder::read_code(Bytes input, std::size_t& at, unsigned& code) {
  while (bit_count_ < width_) {
    if (at == input.size()) return false;
    bits_ |= std::to_integer<std::uint32_t>(input[at++]) << bit_count_;
    bit_count_ += 8;
  }
  code = bits_ & ((1U << width_) - 1);
  bits_ >>= width_;
  bit_count_ -= width_;
  return true;
}

// Makes `code` stand for what `prefix` stands for and one more byte.
inline void LzwDecoder::extend(unsigned code, unsigned prefix, std::byte suffix) {
  const Expansion& old = expansions_[prefix];
  Expansion& made = expansions_[code];
  made.length = static_cast<std::uint16_t>(old.length + 1);
  made.first = old.first;
  if (old.count < old.tail.size()) {
    made.tail = old.tail;
    made.before = old.before;
    made.count = static_cast<std::uint8_t>(old.count + 1);
    made.tail[old.count] = suffix;
  } else {
    made.tail[0] = suffix;
    made.before = static_cast<std::uint16_t>(prefix);
    made.count = 1;
  }
}

// Enters the data code into the dictionary; false when no encoder would write it here.
inline bool LzwDecoder::learn(unsigned code) {
  if (code > high_) return false;
  if (last_ != no_code) {
    // The code that is just being defined starts like the one before it.
    extend(high_, last_, expansions_[code == high_ ? last_ : code].first);
  }
  last_ = code;
  ++high_;
  if (high_ == 1U << width_) {
    if (width_ == width_max) {
      last_ = no_code;
      --high_;
    } else {
      ++width_;
    }
  }
  return true;
}

// Writes as much of the pending code's expansion as `output` takes, from pending_from_ on.
inline std::size_t LzwDecoder::write_pending(MutableBytes output) {
  const Expansion* link = &expansions_[pending_code_];
  const std::size_t length = link->length;
  if (pending_from_ == 0 && output.size() >= length + link->tail.size()) {
    // Whole words; the last one spills into room that is free or written next.
    std::size_t at = length - link->count;
    std::memcpy(output.data() + at, link->tail.data(), link->tail.size());
    while (at > 0) {
      link = &expansions_[link->before];
      at -= link->tail.size();
      std::memcpy(output.data() + at, link->tail.data(), link->tail.size());
    }
    pending_ = false;
    return length;
  }
  const std::size_t from = pending_from_;
  const std::size_t to = std::min(length, from + output.size());
  std::size_t end = length;
  for (; end > from; link = &expansions_[link->before]) {
    const std::size_t begin = end - link->count;
    for (std::size_t i = std::max(begin, from); i < std::min(end, to); ++i) {
      output[i - from] = link->tail[i - begin];
    }
    end = begin;
  }
  pending_from_ = to;
  pending_ = to < length;
  return to - from;
}

Decoded<LzwDecoder::Step> LzwDecoder::decode(Bytes input, MutableBytes output) {
  Step step;
  const auto fail = [&] {
    failed_ = true;
    return std::unexpected(WireError{"lzw", "", WireFault::malformed,
                                     static_cast<std::uint32_t>(input_total_ + step.consumed)});
  };
  if (failed_) return fail();
  while (!done_) {
    if (pending_) {
      step.produced += write_pending(output.subspan(step.produced));
      if (pending_) break;
    }
    unsigned code = 0;
    if (!read_code(input, step.consumed, code)) break;
    if (code == clear_code) {
      start_over();
    } else if (code == end_code) {
      done_ = true;
    } else {
      if (!learn(code)) return fail();
      pending_ = true;
      pending_code_ = code;
      pending_from_ = 0;
    }
  }
  input_total_ += step.consumed;
  step.done = done_;
  return step;
}

Decoded<std::size_t> lzw_decode(LzwDecoder& decoder, Bytes input, MutableBytes output) {
  decoder.reset();
  const auto step = decoder.decode(input, output);
  if (!step) return std::unexpected(step.error());
  if (step->done) return step->produced;
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
  bits_ = 0;
  bit_count_ = 0;
  code_ = no_code;
  stage_ = Stage::begin;
  start_over();
}

void LzwEncoder::start_over() {
  width_ = width_min;
  high_ = end_code;
}

inline void LzwEncoder::emit(unsigned code) {
  bits_ |= std::uint64_t{code} << bit_count_;
  bit_count_ += width_;
}

// Counts a data code; false when that was the last one before a clear code, which is written.
inline bool LzwEncoder::count_code() {
  ++high_;
  if (high_ == 1U << width_) ++width_;
  if (high_ != codes_max - 1) return true;
  emit(clear_code);
  start_over();
  return false;
}

// Moves whole bytes to the output. False when a further step might not fit into the accumulator.
inline bool LzwEncoder::drain(MutableBytes output, std::size_t& at) {
  while (bit_count_ >= 8 && at < output.size()) {
    output[at++] = static_cast<std::byte>(bits_ & 0xff);
    bits_ >>= 8;
    bit_count_ -= 8;
  }
  return bit_count_ <= 64 - 2 * width_max;
}

// Takes input until it ends or the output is full; the number of bytes taken.
inline std::size_t LzwEncoder::compress(Bytes input, MutableBytes output, std::size_t& produced) {
  std::size_t taken = 0;
  if (code_ == no_code && !input.empty()) code_ = std::to_integer<unsigned>(input[taken++]);
  for (; taken < input.size(); ++taken) {
    if (bit_count_ > 64 - 2 * width_max && !drain(output, produced)) break;
    const unsigned literal = std::to_integer<unsigned>(input[taken]);
    const std::uint32_t key = (code_ << 8) | literal;
    std::uint32_t slot = (key * 2654435761U) >> (32 - slot_bits);
    unsigned found = no_code;
    for (;;) {
      const unsigned code = slots_[slot];
      if (code <= end_code || code > high_ || entries_[code].slot != slot) break;
      if (entries_[code].key == key) {
        found = code;
        break;
      }
      slot = (slot + 1) & ((1U << slot_bits) - 1);
    }
    if (found != no_code) {
      code_ = found;
      continue;
    }
    emit(code_);
    code_ = literal;
    if (count_code()) {
      slots_[slot] = static_cast<std::uint16_t>(high_);
      entries_[high_] = {key, static_cast<std::uint16_t>(slot)};
    }
  }
  return taken;
}

LzwEncoder::Step LzwEncoder::encode(Bytes input, MutableBytes output, bool last) {
  Step step;
  if (stage_ == Stage::begin) {
    emit(clear_code);
    stage_ = Stage::run;
  }
  if (stage_ == Stage::run) {
    step.consumed = compress(input, output, step.produced);
    if (last && step.consumed == input.size()) stage_ = Stage::finish;
  }
  if (stage_ == Stage::finish && drain(output, step.produced)) {
    if (code_ != no_code) {
      emit(code_);
      count_code();
    }
    stage_ = Stage::end;
  }
  if (stage_ == Stage::end && drain(output, step.produced)) {
    emit(end_code);
    bit_count_ = (bit_count_ + 7) / 8 * 8;
    stage_ = Stage::done;
  }
  drain(output, step.produced);
  step.done = stage_ == Stage::done && bit_count_ == 0;
  return step;
}

std::size_t lzw_encode(LzwEncoder& encoder, Bytes input, MutableBytes output) {
  encoder.reset();
  const LzwEncoder::Step step = encoder.encode(input, output, true);
  return step.done ? step.produced : 0;
}

}  // namespace starling
