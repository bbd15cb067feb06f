// Reads structs laid out exactly as every Go encoder writes them, several times faster.
//
// The problem: the lenient readers of msgpack.h take fields in any order and form, and looking up
// each key costs more than the values. The idea: expect the one layout that real peers send (keys
// in sorted order, raw strings, unsigned integers) and compare constants; at the first byte that
// differs give up without a word, and the caller starts again with the lenient reader, which also
// words the errors. So this never decides what is acceptable, only what is fast.
//
// A value on a decoder's stack. Views point into the input; nothing allocates. After a call has
// returned false the reader and the fields read so far have no meaning.
//   CanonicalReader in(body);
//   if (in.map(2) && in.key("Payload") && in.bytes(payload) && in.key("SeqNo") && in.u32(sequence))
#pragma once

#include <cstring>
#include <string_view>

#include "wire/base/types.h"

namespace starling {

class CanonicalReader {
 public:
  explicit CanonicalReader(Bytes input) : input_(input) {}

  std::size_t used() const { return at_; }

  // The header of a map of up to 15 pairs.
  bool map(unsigned pairs) { return byte(static_cast<std::uint8_t>(0x80 + pairs)); }
  // A key of at most 31 bytes.
  template <std::size_t Size>
  bool key(const char (&text)[Size]) {
    static_assert(Size > 1 && Size <= 32);
    if (left() < Size || lead() != 0xa0 + (Size - 1)) return false;
    if (std::memcmp(input_.data() + at_ + 1, text, Size - 1) != 0) return false;
    at_ += Size;
    return true;
  }

  bool u8(std::uint8_t& value) { return number<1>(value); }
  bool u16(std::uint16_t& value) { return number<2>(value); }
  bool u32(std::uint32_t& value) { return number<4>(value); }

  bool text(std::string_view& value) {
    Bytes raw;
    if (!blob(raw)) return false;
    value = as_text(raw);
    return true;
  }
  // Bytes, or the nil that stands for none.
  bool bytes(Bytes& value) {
    if (left() > 0 && lead() == 0xc0) {
      value = {};
      ++at_;
      return true;
    }
    return blob(value);
  }

 private:
  std::size_t left() const { return input_.size() - at_; }
  std::uint8_t octet(std::size_t offset) const {
    return std::to_integer<std::uint8_t>(input_[at_ + offset]);
  }
  std::uint8_t lead() const { return octet(0); }
  bool byte(std::uint8_t wanted) {
    if (left() == 0 || lead() != wanted) return false;
    ++at_;
    return true;
  }

  // A fixraw or a raw with 16 bits of length.
  bool blob(Bytes& value) {
    if (left() == 0) return false;
    std::size_t header = 1;
    std::size_t length = lead() & 0x1fU;
    if ((lead() & 0xe0) != 0xa0) {
      if (lead() != 0xda || left() < 3) return false;
      header = 3;
      length = static_cast<std::size_t>(octet(1)) << 8 | octet(2);
    }
    if (length > left() - header) return false;
    value = input_.subspan(at_ + header, length);
    at_ += header + length;
    return true;
  }

  // A fixint, cc, cd or ce; none wider than the field.
  template <std::size_t BytesMax, class Number>
  bool number(Number& value) {
    if (left() == 0) return false;
    if (lead() < 0x80) {
      value = lead();
      ++at_;
      return true;
    }
    if (lead() < 0xcc || lead() > 0xce) return false;
    const std::size_t width = std::size_t{1} << (lead() - 0xcc);
    if (width > BytesMax || left() <= width) return false;
    std::uint32_t bits = 0;
    for (std::size_t i = 1; i <= width; ++i) bits = bits << 8 | octet(i);
    value = static_cast<Number>(bits);
    at_ += 1 + width;
    return true;
  }

  Bytes input_;
  std::size_t at_ = 0;
};

}  // namespace starling
