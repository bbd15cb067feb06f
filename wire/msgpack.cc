#include "wire/msgpack.h"

#include <bit>

#include "wire/value_scanner.h"

namespace starling::msgpack {
namespace {

// The integer behind `lead` as magnitude bits and sign.
struct Integer {
  std::uint64_t bits = 0;  // two's complement when negative
  bool negative = false;
};

constexpr Integer from_signed(std::int64_t value) {
  return {static_cast<std::uint64_t>(value), value < 0};
}

// False after an error. Offsets of errors are those of the lead byte.
bool read_integer(Reader& in, std::uint8_t lead, Integer& integer) {
  if (!in.ok()) return false;
  const std::size_t offset = in.offset() - 1;
  if (lead < 0x80) {
    integer = {lead, false};
  } else if (lead >= 0xe0) {
    integer = from_signed(static_cast<std::int8_t>(lead));
  } else {
    switch (lead) {
      case 0xc0:
        integer = {};
        break;
      case 0xcc:
        integer = {in.u8(), false};
        break;
      case 0xcd:
        integer = {in.u16(), false};
        break;
      case 0xce:
        integer = {in.u32(), false};
        break;
      case 0xcf:
        integer = {in.u64(), false};
        break;
      case 0xd0:
        integer = from_signed(static_cast<std::int8_t>(in.u8()));
        break;
      case 0xd1:
        integer = from_signed(static_cast<std::int16_t>(in.u16()));
        break;
      case 0xd2:
        integer = from_signed(static_cast<std::int32_t>(in.u32()));
        break;
      case 0xd3:
        integer = from_signed(static_cast<std::int64_t>(in.u64()));
        break;
      default:
        in.fail_at(lead == 0xc1 ? WireFault::malformed : WireFault::wrong_type, offset);
    }
  }
  return in.ok();
}

// The length field that a lead byte of 8, 16 or 32 bits announces.
std::size_t read_length(Reader& in, unsigned width) {
  if (width == 0) return in.u8();
  return width == 1 ? in.u16() : in.u32();
}

void fail_at_lead(Reader& in, std::uint8_t lead) {
  if (!in.ok()) return;
  in.fail_at(lead == 0xc1 ? WireFault::malformed : WireFault::wrong_type, in.offset() - 1);
}

// The elements of an array or a flattened map, as bytes in `scratch`.
Bytes gather(Reader& in, std::uint64_t count, Scratch& scratch) {
  if (!in.ok() || count == 0) return {};
  if (count > in.left()) {
    in.fail(WireFault::truncated);
    return {};
  }
  if (count > scratch.left()) {
    in.fail(WireFault::no_space);
    return {};
  }
  const MutableBytes gathered = scratch.take(static_cast<std::size_t>(count));
  for (std::byte& element : gathered) element = std::byte{read_u8(in)};
  return in.ok() ? Bytes(gathered) : Bytes();
}

}  // namespace

namespace detail {

std::uint64_t read_unsigned_slow(Reader& in, std::uint8_t lead, std::uint64_t max) {
  const std::size_t offset = in.offset() - 1;
  Integer integer;
  if (!read_integer(in, lead, integer)) return 0;
  if (integer.negative || integer.bits > max) {
    in.fail_at(WireFault::out_of_range, offset);
    return 0;
  }
  return integer.bits;
}

Bytes read_blob_slow(Reader& in, std::uint8_t lead) {
  if (lead >= 0xd9 && lead <= 0xdb) return in.take(read_length(in, lead - 0xd9U));
  if (lead >= 0xc4 && lead <= 0xc6) return in.take(read_length(in, lead - 0xc4U));
  if (lead != 0xc0) fail_at_lead(in, lead);
  return {};
}

Bytes read_bytes_slow(Reader& in, std::uint8_t lead, Scratch& scratch) {
  if ((lead & 0xf0) == 0x90) return gather(in, lead & 0x0fU, scratch);
  if ((lead & 0xf0) == 0x80) return gather(in, 2 * (lead & 0x0fU), scratch);
  if (lead == 0xdc || lead == 0xdd) {
    return gather(in, read_length(in, lead - 0xdbU), scratch);
  }
  if (lead == 0xde || lead == 0xdf) {
    return gather(in, 2 * std::uint64_t{read_length(in, lead - 0xddU)}, scratch);
  }
  return read_blob_slow(in, lead);
}

std::uint64_t read_header_slow(Reader& in, std::uint8_t lead, std::uint8_t wide_lead) {
  if (lead == wide_lead) return in.u16();
  if (lead == wide_lead + 1) return in.u32();
  if (lead != 0xc0) fail_at_lead(in, lead);
  return 0;
}

void write_unsigned_slow(Writer& out, std::uint64_t value) {
  if (value <= UINT8_MAX) {
    out.u8(0xcc);
    out.u8(static_cast<std::uint8_t>(value));
  } else if (value <= UINT16_MAX) {
    out.u8(0xcd);
    out.u16(static_cast<std::uint16_t>(value));
  } else if (value <= UINT32_MAX) {
    out.u8(0xce);
    out.u32(static_cast<std::uint32_t>(value));
  } else {
    out.u8(0xcf);
    out.u64(value);
  }
}

void write_raw_header_slow(Writer& out, std::size_t bytes) {
  if (bytes <= UINT16_MAX) {
    out.u8(0xda);
    out.u16(static_cast<std::uint16_t>(bytes));
  } else {
    out.u8(0xdb);
    out.u32(static_cast<std::uint32_t>(bytes));
  }
}

}  // namespace detail

Kind peek(const Reader& in) {
  if (!in.ok() || in.left() == 0) return Kind::none;
  const std::uint8_t lead = std::to_integer<std::uint8_t>(in.rest()[0]);
  if (lead < 0x80 || lead >= 0xe0) return Kind::integer;
  if (lead < 0x90) return Kind::map;
  if (lead < 0xa0) return Kind::array;
  if (lead < 0xc0) return Kind::text;
  if (lead == 0xc0) return Kind::nil;
  if (lead == 0xc1) return Kind::invalid;
  if (lead <= 0xc3) return Kind::boolean;
  if (lead <= 0xc6) return Kind::binary;
  if (lead <= 0xc9) return Kind::extension;
  if (lead <= 0xcb) return Kind::floating;
  if (lead <= 0xd3) return Kind::integer;
  if (lead <= 0xd8) return Kind::extension;
  if (lead <= 0xdb) return Kind::text;
  return lead <= 0xdd ? Kind::array : Kind::map;
}

std::int64_t read_signed(Reader& in, std::int64_t min, std::int64_t max) {
  const std::size_t offset = in.offset();
  Integer integer;
  if (!read_integer(in, in.u8(), integer)) return 0;
  const auto value = static_cast<std::int64_t>(integer.bits);
  const bool fits = integer.negative || integer.bits <= std::uint64_t{INT64_MAX};
  if (!fits || value < min || value > max) {
    in.fail_at(WireFault::out_of_range, offset);
    return 0;
  }
  return value;
}

bool read_bool(Reader& in) {
  const std::uint8_t lead = in.u8();
  if (lead == 0xc3 || lead == 0x01) return true;
  if (lead != 0xc2 && lead != 0x00 && lead != 0xc0) fail_at_lead(in, lead);
  return false;
}

double read_float64(Reader& in) {
  const std::uint8_t lead = in.u8();
  if (lead == 0xcb) return std::bit_cast<double>(in.u64());
  if (lead == 0xca) return std::bit_cast<float>(in.u32());
  Integer integer;
  if (!read_integer(in, lead, integer)) return 0;
  return integer.negative ? static_cast<double>(static_cast<std::int64_t>(integer.bits))
                          : static_cast<double>(integer.bits);
}

void skip_value(Reader& in) {
  if (!in.ok()) return;
  ValueScanner scanner;
  const auto taken = scanner.scan(in.rest());
  if (!taken) return in.fail_at(taken.error().fault, in.offset() + taken.error().offset);
  if (!scanner.complete()) return in.fail_at(WireFault::truncated, in.offset() + *taken);
  in.skip(*taken);
}

Bytes take_value(Reader& in) {
  const Bytes before = in.rest();
  skip_value(in);
  return in.ok() ? before.first(before.size() - in.left()) : Bytes();
}

void write_signed(Writer& out, std::int64_t value, SignedStyle style) {
  if (value >= 0 && (value < 0x80 || style == SignedStyle::unsigned_form)) {
    return write_unsigned(out, static_cast<std::uint64_t>(value));
  }
  if (value < 0 && value >= -32) return out.u8(static_cast<std::uint8_t>(value));
  if (value >= INT8_MIN && value <= INT8_MAX) {
    out.u8(0xd0);
    out.u8(static_cast<std::uint8_t>(value));
  } else if (value >= INT16_MIN && value <= INT16_MAX) {
    out.u8(0xd1);
    out.u16(static_cast<std::uint16_t>(value));
  } else if (value >= INT32_MIN && value <= INT32_MAX) {
    out.u8(0xd2);
    out.u32(static_cast<std::uint32_t>(value));
  } else {
    out.u8(0xd3);
    out.u64(static_cast<std::uint64_t>(value));
  }
}

void write_float64(Writer& out, double value) {
  out.u8(0xcb);
  out.u64(std::bit_cast<std::uint64_t>(value));
}

void write_array_header(Writer& out, std::size_t elements) {
  if (elements < 16) {
    out.u8(static_cast<std::uint8_t>(0x90 + elements));
  } else if (elements <= UINT16_MAX) {
    out.u8(0xdc);
    out.u16(static_cast<std::uint16_t>(elements));
  } else {
    out.u8(0xdd);
    out.u32(static_cast<std::uint32_t>(elements));
  }
}

void write_map_header(Writer& out, std::size_t pairs) {
  if (pairs < 16) {
    out.u8(static_cast<std::uint8_t>(0x80 + pairs));
  } else if (pairs <= UINT16_MAX) {
    out.u8(0xde);
    out.u16(static_cast<std::uint16_t>(pairs));
  } else {
    out.u8(0xdf);
    out.u32(static_cast<std::uint32_t>(pairs));
  }
}

void write_raw_header(Writer& out, std::size_t bytes) {
  if (bytes < 32) {
    out.u8(static_cast<std::uint8_t>(0xa0 + bytes));
  } else {
    detail::write_raw_header_slow(out, bytes);
  }
}

void write_str(Writer& out, std::string_view text) {
  if (text.size() >= 32 && text.size() <= UINT8_MAX) {
    out.u8(0xd9);
    out.u8(static_cast<std::uint8_t>(text.size()));
    out.put(as_bytes(text));
  } else {
    write_text(out, text);
  }
}

void write_bin(Writer& out, Bytes bytes) {
  if (bytes.size() <= UINT8_MAX) {
    out.u8(0xc4);
    out.u8(static_cast<std::uint8_t>(bytes.size()));
  } else if (bytes.size() <= UINT16_MAX) {
    out.u8(0xc5);
    out.u16(static_cast<std::uint16_t>(bytes.size()));
  } else {
    out.u8(0xc6);
    out.u32(static_cast<std::uint32_t>(bytes.size()));
  }
  out.put(bytes);
}

}  // namespace starling::msgpack
