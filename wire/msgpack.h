// msgpack as memberlist and Serf speak it: readers over Reader, writers over Writer.
//
// protocol/memberlist section 3, protocol/serf section 1. Readers are lenient where Go's decoders
// are: any integer family and width, nil for a zero value, str, raw and bin for each other, byte
// fields as arrays of small integers, structs as arrays of their fields. Errors stick to the
// Reader; a failed read gives a zero value. Views point into the input (or into Scratch) and live
// as long as it. Writers write exactly what Go writes. Nothing allocates, nothing recurses.
//
// Reading a struct:
//   inline constexpr std::array<std::string_view, 2> ack_keys{"SeqNo", "Payload"};  // as declared
//   msgpack::read_struct<ack_keys>(in, [&](std::size_t field) {
//     switch (field) {
//       case 0: sequence = msgpack::read_unsigned(in, UINT32_MAX); break;
//       case 1: payload = msgpack::read_bytes(in, scratch); break;
//     }
//   });
//   if (!in.ok()) return std::unexpected(in.error());
// Reading a list: for (auto n = read_array_header(in); n > 0 && in.ok(); --n) ...
//
// Writing in the gossip dialect: write_text, write_bytes. In the RPC dialect (protocol/serf
// section 17): write_str, write_bin. The rest is common. Struct keys are written in sorted order
// by the caller; write_key copies a literal, which is correct in both dialects.
#pragma once

#include <utility>

#include "wire/base/bytes.h"
#include "wire/base/scratch.h"
#include "wire/base/types.h"

namespace starling {

// Which of the two Go generations to imitate for signed numbers above 127 (section 3.3):
// memberlist up to 0.5.0 writes them in unsigned form. Receivers accept both.
enum class SignedStyle : std::uint8_t { unsigned_form, signed_form };

namespace msgpack {

// What the next value is, without taking it. `none` at the end of the input or after an error.
enum class Kind : std::uint8_t {
  none,
  nil,
  boolean,
  integer,
  floating,
  text,    // fixraw, str8, str16, str32
  binary,  // bin8, bin16, bin32
  array,
  map,
  extension,
  invalid,  // byte c1
};
Kind peek(const Reader& in);

namespace detail {
std::uint64_t read_unsigned_slow(Reader& in, std::uint8_t lead, std::uint64_t max);
Bytes read_blob_slow(Reader& in, std::uint8_t lead);
Bytes read_bytes_slow(Reader& in, std::uint8_t lead, Scratch& scratch);
std::uint64_t read_header_slow(Reader& in, std::uint8_t lead, std::uint8_t wide_lead);
void write_unsigned_slow(Writer& out, std::uint64_t value);
void write_raw_header_slow(Writer& out, std::size_t bytes);
}  // namespace detail

// --- readers ---------------------------------------------------------------------------------

// 0..max; nil gives 0. Negative or above `max`: out_of_range. Floats and booleans: wrong_type.
inline std::uint64_t read_unsigned(Reader& in, std::uint64_t max) {
  const std::uint8_t lead = in.u8();
  if (lead < 0x80 && lead <= max) return lead;
  return detail::read_unsigned_slow(in, lead, max);
}
inline std::uint8_t read_u8(Reader& in) {
  return static_cast<std::uint8_t>(read_unsigned(in, UINT8_MAX));
}
inline std::uint16_t read_u16(Reader& in) {
  return static_cast<std::uint16_t>(read_unsigned(in, UINT16_MAX));
}
inline std::uint32_t read_u32(Reader& in) {
  return static_cast<std::uint32_t>(read_unsigned(in, UINT32_MAX));
}
inline std::uint64_t read_u64(Reader& in) {
  return read_unsigned(in, UINT64_MAX);
}

// Go's int, int64; nil gives 0. Beyond [min, max]: out_of_range.
std::int64_t read_signed(Reader& in, std::int64_t min = INT64_MIN, std::int64_t max = INT64_MAX);

// true, false, the integers 0 and 1 in their shortest form, nil (false).
bool read_bool(Reader& in);

// float64, float32, any integer, nil (0).
double read_float64(Reader& in);

// The str family, bin, nil (empty). `scratch` also admits an array of small integers.
inline std::string_view read_text(Reader& in) {
  const std::uint8_t lead = in.u8();
  if ((lead & 0xe0) == 0xa0) return as_text(in.take(lead & 0x1fU));
  return as_text(detail::read_blob_slow(in, lead));
}
inline std::string_view read_text(Reader& in, Scratch& scratch) {
  const std::uint8_t lead = in.u8();
  if ((lead & 0xe0) == 0xa0) return as_text(in.take(lead & 0x1fU));
  return as_text(detail::read_bytes_slow(in, lead, scratch));
}

// The str family, bin, nil (empty), an array of integers 0..255 (nil element: 0) and a map of them
// (flattened), both copied into `scratch`; no_space when it is full.
inline Bytes read_bytes(Reader& in, Scratch& scratch) {
  const std::uint8_t lead = in.u8();
  if ((lead & 0xe0) == 0xa0) return in.take(lead & 0x1fU);
  return detail::read_bytes_slow(in, lead, scratch);
}

// A map key: the str family or bin; nil gives the empty key, which no struct has.
inline std::string_view read_key(Reader& in) {
  const std::uint8_t lead = in.u8();
  if ((lead & 0xe0) == 0xa0) return as_text(in.take(lead & 0x1fU));
  return as_text(detail::read_blob_slow(in, lead));
}

// Takes a nil if that is next.
inline bool read_nil(Reader& in) {
  if (peek(in) != Kind::nil) return false;
  in.skip(1);
  return true;
}

// The number of elements or pairs announced; nil gives 0. The number may be a lie: loop only while
// in.ok(), and never size anything by it.
inline std::uint64_t read_array_header(Reader& in) {
  const std::uint8_t lead = in.u8();
  if ((lead & 0xf0) == 0x90) return lead & 0x0fU;
  return detail::read_header_slow(in, lead, 0xdc);
}
inline std::uint64_t read_map_header(Reader& in) {
  const std::uint8_t lead = in.u8();
  if ((lead & 0xf0) == 0x80) return lead & 0x0fU;
  return detail::read_header_slow(in, lead, 0xde);
}

// Passes over one value of any kind, nested at most msgpack_nesting_max deep.
void skip_value(Reader& in);
// The same, and gives the value's encoded bytes.
Bytes take_value(Reader& in);

namespace detail {

inline constexpr std::size_t no_field = SIZE_MAX;

// The position of `key` in Keys, compared by length and constant-size memory comparison.
template <const auto& Keys, std::size_t... Index>
constexpr std::size_t find_field(std::string_view key, std::index_sequence<Index...>) {
  std::size_t found = no_field;
  static_cast<void>(((key.size() == Keys[Index].size() &&
                              std::memcmp(key.data(), Keys[Index].data(), Keys[Index].size()) == 0
                          ? (found = Index, true)
                          : false) ||
                     ...));
  return found;
}

}  // namespace detail

// Reads a struct in any form a Go peer accepts: a map (unknown keys are skipped, the last of equal
// keys wins), an array in declaration order (missing: untouched, surplus: skipped), or nil. Calls
// on_field(index into Keys) with the reader in front of that field's value; on_field must take
// exactly one value. `Keys` is a static constexpr std::array of literals in declaration order.
template <const auto& Keys, class OnField>
inline void read_struct(Reader& in, OnField&& on_field) {
  constexpr std::size_t fields = Keys.size();
  in.set_field("");
  const std::uint8_t lead = in.u8();
  if ((lead & 0xf0) == 0x90 || lead == 0xdc || lead == 0xdd) {
    const std::uint64_t count =
        lead < 0xa0 ? lead & 0x0fU : detail::read_header_slow(in, lead, 0xdc);
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
      if (i < fields) {
        in.set_field(Keys[i].data());
        on_field(static_cast<std::size_t>(i));
      } else {
        in.set_field("");
        skip_value(in);
      }
    }
    return;
  }
  const std::uint64_t pairs =
      (lead & 0xf0) == 0x80 ? lead & 0x0fU : detail::read_header_slow(in, lead, 0xde);
  for (std::uint64_t i = 0; i < pairs && in.ok(); ++i) {
    const std::string_view key = read_key(in);
    const std::size_t field = detail::find_field<Keys>(key, std::make_index_sequence<fields>());
    if (field == detail::no_field) {
      skip_value(in);
    } else {
      in.set_field(Keys[field].data());
      on_field(field);
      in.set_field("");
    }
  }
}

// --- writers ---------------------------------------------------------------------------------

inline void write_nil(Writer& out) {
  out.u8(0xc0);
}
inline void write_bool(Writer& out, bool value) {
  out.u8(value ? 0xc3 : 0xc2);
}
// The smallest of fixint, cc, cd, ce, cf.
inline void write_unsigned(Writer& out, std::uint64_t value) {
  if (value < 0x80) return out.u8(static_cast<std::uint8_t>(value));
  detail::write_unsigned_slow(out, value);
}
void write_signed(Writer& out, std::int64_t value, SignedStyle style);
void write_float64(Writer& out, double value);
void write_array_header(Writer& out, std::size_t elements);
void write_map_header(Writer& out, std::size_t pairs);

// A literal of at most 31 bytes, most often a struct's key.
template <std::size_t Size>
inline void write_key(Writer& out, const char (&key)[Size]) {
  static_assert(Size > 0 && Size <= 32);
  std::array<char, Size> encoded;
  encoded[0] = static_cast<char>(0xa0 + (Size - 1));
  std::memcpy(encoded.data() + 1, key, Size - 1);
  out.put(as_bytes({encoded.data(), Size}));
}

// Gossip dialect: fixraw, da, db; never str8 or bin.
inline void write_text(Writer& out, std::string_view text) {
  if (text.size() < 32) {
    out.u8(static_cast<std::uint8_t>(0xa0 + text.size()));
  } else {
    detail::write_raw_header_slow(out, text.size());
  }
  out.put(as_bytes(text));
}
// The same for bytes, but nothing is written as nil, as Go writes a nil slice.
inline void write_bytes(Writer& out, Bytes bytes) {
  if (bytes.empty()) return write_nil(out);
  write_text(out, as_text(bytes));
}
// The header alone, for `bytes` bytes that follow by other means.
void write_raw_header(Writer& out, std::size_t bytes);

// RPC dialect: fixstr, d9, da, db and c4, c5, c6. write_bin writes the empty value as c4 00.
void write_str(Writer& out, std::string_view text);
void write_bin(Writer& out, Bytes bytes);

}  // namespace msgpack
}  // namespace starling
