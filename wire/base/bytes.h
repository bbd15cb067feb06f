// Cursors over bytes: Reader takes from a view, Writer puts into a bounded span.
//
// Both have a sticky error: after the first failure every further call is a no-op that yields zero
// values, so a message needs one check, not one per field. Neither allocates. A Reader or Writer is
// a value on somebody's stack, used by one thread.
#pragma once

#include <cstring>

#include "wire/base/types.h"

namespace starling {

class Reader {
 public:
  // `layer` names the message or wrapper in errors; it must be a static string.
  explicit Reader(Bytes input, const char* layer = "") : input_(input), layer_(layer) {}

  bool ok() const { return !failed_; }
  // Only valid when !ok().
  const WireError& error() const { return error_; }

  std::size_t offset() const { return at_; }
  std::size_t left() const { return input_.size() - at_; }
  // All bytes not yet read.
  Bytes rest() const { return input_.subspan(at_); }

  const char* layer() const { return layer_; }
  void set_layer(const char* layer) { layer_ = layer; }
  // The field that the next error names. A static string.
  void set_field(const char* field) { field_ = field; }

  // Records the first error, at the current offset or at `offset`.
  void fail(WireFault fault) { fail_at(fault, at_); }
  void fail_at(WireFault fault, std::size_t offset) {
    if (failed_) return;
    failed_ = true;
    error_ = {layer_, field_, fault, static_cast<std::uint32_t>(offset)};
  }

  std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian<1>()); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(big_endian<2>()); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian<4>()); }
  std::uint64_t u64() { return big_endian<8>(); }

  // The next `count` bytes as a view into the input.
  Bytes take(std::size_t count) {
    if (!need(count)) return {};
    const Bytes taken = input_.subspan(at_, count);
    at_ += count;
    return taken;
  }
  void skip(std::size_t count) {
    if (need(count)) at_ += count;
  }

 private:
  bool need(std::size_t count) {
    if (failed_) return false;
    if (count <= left()) return true;
    fail(WireFault::truncated);
    return false;
  }
  template <std::size_t Count>
  std::uint64_t big_endian() {
    if (!need(Count)) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < Count; ++i) {
      value = (value << 8) | std::to_integer<std::uint64_t>(input_[at_ + i]);
    }
    at_ += Count;
    return value;
  }

  Bytes input_;
  std::size_t at_ = 0;
  const char* layer_;
  const char* field_ = "";
  bool failed_ = false;
  WireError error_;
};

class Writer {
 public:
  explicit Writer(MutableBytes output) : output_(output) {}

  // False when something did not fit; what was written before stays valid up to size().
  bool ok() const { return !failed_; }
  std::size_t size() const { return at_; }
  std::size_t room() const { return output_.size() - at_; }
  Bytes written() const { return Bytes(output_).first(at_); }
  // The unwritten part; call advance() after filling some of it by hand.
  MutableBytes spare() { return output_.subspan(at_); }
  void advance(std::size_t count) {
    if (need(count)) at_ += count;
  }
  // Forgets everything after `size` and clears the error: for "write it unless it does not fit".
  void rewind(std::size_t size) {
    at_ = size;
    failed_ = false;
  }

  void u8(std::uint8_t value) { big_endian<1>(value); }
  void u16(std::uint16_t value) { big_endian<2>(value); }
  void u32(std::uint32_t value) { big_endian<4>(value); }
  void u64(std::uint64_t value) { big_endian<8>(value); }
  void put(Bytes bytes) {
    if (!need(bytes.size())) return;
    if (!bytes.empty()) std::memcpy(output_.data() + at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  // Overwrites bytes written earlier (a length that is known only afterwards).
  void patch_u16(std::size_t offset, std::uint16_t value) {
    output_[offset] = static_cast<std::byte>(value >> 8);
    output_[offset + 1] = static_cast<std::byte>(value & 0xff);
  }

 private:
  bool need(std::size_t count) {
    if (failed_) return false;
    if (count <= room()) return true;
    failed_ = true;
    return false;
  }
  template <std::size_t Count>
  void big_endian(std::uint64_t value) {
    if (!need(Count)) return;
    for (std::size_t i = 0; i < Count; ++i) {
      output_[at_ + i] = static_cast<std::byte>((value >> (8 * (Count - 1 - i))) & 0xff);
    }
    at_ += Count;
  }

  MutableBytes output_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace starling
