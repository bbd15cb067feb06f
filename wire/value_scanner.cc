#include "wire/value_scanner.h"

#include <cstring>

namespace starling {
namespace {

// The whole size of a value that its first byte tells; 0 for containers and values with a length
// field.
constexpr std::array<std::uint8_t, 256> short_value_bytes = [] {
  std::array<std::uint8_t, 256> bytes{};
  for (unsigned lead = 0; lead < 0x80; ++lead) bytes[lead] = 1;
  for (unsigned lead = 0xa0; lead < 0xc0; ++lead) {
    bytes[lead] = static_cast<std::uint8_t>(1 + (lead & 0x1f));
  }
  bytes[0xc0] = bytes[0xc2] = bytes[0xc3] = 1;
  for (unsigned width = 0; width < 4; ++width) {
    bytes[0xcc + width] = bytes[0xd0 + width] = static_cast<std::uint8_t>(1 + (1U << width));
  }
  for (unsigned lead = 0xe0; lead < 0x100; ++lead) bytes[lead] = 1;
  return bytes;
}();

}  // namespace

void ValueScanner::reset() {
  open_[0] = 1;
  depth_ = 0;
  skip_ = 0;
  length_ = 0;
  length_bytes_left_ = 0;
  length_of_ = Length::none;
}

// One value has ended; so may the containers around it.
inline void ValueScanner::close() {
  while (--open_[depth_] == 0 && depth_ > 0) --depth_;
}

bool ValueScanner::open(std::uint64_t values) {
  if (values == 0) {
    close();
    return true;
  }
  if (depth_ == msgpack_nesting_max) {
    fault_ = WireFault::too_deep;
    return false;
  }
  open_[++depth_] = values;
  return true;
}

bool ValueScanner::length_known() {
  switch (length_of_) {
    case Length::array:
      return open(length_);
    case Length::map:
      return open(2 * length_);
    case Length::extension:
      skip_ = length_ + 1;
      return true;
    case Length::payload:
    case Length::none:
      break;
  }
  skip_ = length_;
  if (skip_ == 0) close();
  return true;
}

bool ValueScanner::lead(std::uint8_t byte) {
  if (byte < 0x80 || byte >= 0xe0) {
    close();
    return true;
  }
  if (byte < 0x90) return open(2 * (byte & 0x0fU));
  if (byte < 0xa0) return open(byte & 0x0fU);
  const auto payload = [this](std::uint64_t bytes) {
    skip_ = bytes;
    if (bytes == 0) close();
    return true;
  };
  const auto length = [this](unsigned bytes, Length what) {
    length_ = 0;
    length_bytes_left_ = static_cast<std::uint8_t>(bytes);
    length_of_ = what;
    return true;
  };
  if (byte < 0xc0) return payload(byte & 0x1fU);
  switch (byte) {
    case 0xc0:
    case 0xc2:
    case 0xc3:
      return payload(0);
    case 0xc4:
    case 0xc5:
    case 0xc6:
      return length(1U << (byte - 0xc4), Length::payload);
    case 0xc7:
    case 0xc8:
    case 0xc9:
      return length(1U << (byte - 0xc7), Length::extension);
    case 0xca:
      return payload(4);
    case 0xcb:
      return payload(8);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
      return payload(1U << (byte - 0xcc));
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
      return payload(1U << (byte - 0xd0));
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return payload(1 + (1U << (byte - 0xd4)));
    case 0xd9:
    case 0xda:
    case 0xdb:
      return length(1U << (byte - 0xd9), Length::payload);
    case 0xdc:
    case 0xdd:
      return length(2U << (byte - 0xdc), Length::array);
    case 0xde:
    case 0xdf:
      return length(2U << (byte - 0xde), Length::map);
    default:  // c1
      fault_ = WireFault::malformed;
      return false;
  }
}

Decoded<std::size_t> ValueScanner::scan(Bytes input) {
  std::size_t at = 0;
  while (at < input.size() && !complete()) {
    if (skip_ > 0) {
      const std::size_t passed =
          static_cast<std::size_t>(std::min<std::uint64_t>(skip_, input.size() - at));
      at += passed;
      skip_ -= passed;
      if (skip_ == 0) close();
      continue;
    }
    const std::uint8_t byte = std::to_integer<std::uint8_t>(input[at]);
    if (length_bytes_left_ == 0) {
      // Most values are short and all there.
      const std::size_t bytes = short_value_bytes[byte];
      if (bytes != 0 && bytes <= input.size() - at) {
        at += bytes;
        close();
        continue;
      }
    }
    ++at;
    bool good = true;
    if (length_bytes_left_ > 0) {
      length_ = (length_ << 8) | byte;
      if (--length_bytes_left_ == 0) good = length_known();
    } else {
      good = lead(byte);
    }
    if (!good) {
      return std::unexpected(WireError{"msgpack", "", fault_, static_cast<std::uint32_t>(at - 1)});
    }
  }
  return at;
}

Decoded<Bytes> ValueCarry::next(Bytes& chunk) {
  // What lies behind the limit is not looked at: a fault there must not hide that it is too large.
  const std::size_t room = room_.size() - held_;
  const auto taken = scanner_.scan(chunk.first(std::min(chunk.size(), room)));
  if (!taken) return std::unexpected(taken.error());
  if (!scanner_.complete() && chunk.size() > room) {
    return std::unexpected(
        WireError{"msgpack", "", WireFault::too_large, static_cast<std::uint32_t>(room)});
  }
  const Bytes piece = chunk.first(*taken);
  chunk = chunk.subspan(*taken);
  if (scanner_.complete() && held_ == 0) {
    scanner_.reset();
    return piece;
  }
  if (!piece.empty()) std::memcpy(room_.data() + held_, piece.data(), piece.size());
  held_ += piece.size();
  if (!scanner_.complete()) return Bytes();
  const Bytes whole = room_.first(held_);
  scanner_.reset();
  held_ = 0;
  return whole;
}

}  // namespace starling
