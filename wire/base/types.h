// The vocabulary of every floor: bytes, addresses, protocol integers and decoding errors.
//
// Values only: nothing here owns memory or depends on anything but the standard library.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

namespace starling {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline bool equal(Bytes a, Bytes b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

// memberlist's counter by which a member overrules older statements about itself.
enum class Incarnation : std::uint32_t {};
// Serf's logical clocks (one each for members, events and queries).
enum class LamportTime : std::uint64_t {};
// Pairs a ping with its ack. The top 8 bits carry the shard that sent it.
enum class SequenceNumber : std::uint32_t {};

constexpr std::uint32_t to_number(Incarnation value) {
  return static_cast<std::uint32_t>(value);
}
constexpr std::uint64_t to_number(LamportTime value) {
  return static_cast<std::uint64_t>(value);
}
constexpr std::uint32_t to_number(SequenceNumber value) {
  return static_cast<std::uint32_t>(value);
}

// memberlist's node states as push/pull carries them. Only append.
enum class MemberState : std::uint8_t { alive = 0, suspect = 1, dead = 2, left = 3 };

// Serf's member states as the conflict response carries them. Only append.
enum class MemberStatus : std::uint8_t { none = 0, alive = 1, leaving = 2, left = 3, failed = 4 };
constexpr std::string_view to_text(MemberStatus status) {
  switch (status) {
    case MemberStatus::none:
      return "none";
    case MemberStatus::alive:
      return "alive";
    case MemberStatus::leaving:
      return "leaving";
    case MemberStatus::left:
      return "left";
    case MemberStatus::failed:
      return "failed";
  }
  return "none";  // a number that a newer Serf may know
}

// An IP address exactly as it stood on the wire: 4 or 16 bytes, or none. IPv4 in 4 bytes and the
// same address mapped into 16 bytes are different values, as they are to memberlist.
class IpAddress {
 public:
  constexpr IpAddress() = default;
  // Empty when `raw` has neither 4 nor 16 bytes.
  explicit IpAddress(Bytes raw) {
    if (raw.size() != 4 && raw.size() != 16) return;
    std::copy(raw.begin(), raw.end(), octets_.begin());
    size_ = static_cast<std::uint8_t>(raw.size());
  }
  static IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    const std::array<std::byte, 4> raw{std::byte{a}, std::byte{b}, std::byte{c}, std::byte{d}};
    return IpAddress(raw);
  }

  Bytes bytes() const { return Bytes(octets_).first(size_); }
  bool empty() const { return size_ == 0; }
  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  std::array<std::byte, 16> octets_{};
  std::uint8_t size_ = 0;
};

// Where a member can be reached: one port number for datagrams and streams.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// memberlist's Vsn field: protocol min, max, current; then delegate (Serf) min, max, current.
struct Versions {
  std::uint8_t protocol_min = 1, protocol_max = 5, protocol_current = 2;
  std::uint8_t delegate_min = 2, delegate_max = 5, delegate_current = 5;
  friend bool operator==(const Versions&, const Versions&) = default;
};

// What was wrong with a piece of input.
enum class WireFault : std::uint8_t {
  truncated,     // the input ends inside the field
  wrong_type,    // a msgpack value of a kind the field cannot take
  out_of_range,  // a number beyond the field's width, or beyond a limit from options
  malformed,     // bytes that no encoder writes
  unsupported,   // an unknown message type, algorithm or version
  too_deep,      // nesting beyond the limit
  too_large,     // a length beyond the limit from options
  mismatch,      // checksum, label or authentication does not match
  no_key,        // encrypted input without a key, or plain input where a key is required
  no_space,      // the caller's output or scratch space is too small
};
std::string_view to_text(WireFault fault);

// A decoding error as a value: which layer, which field, at which byte of that layer's input.
// Both names point to static strings.
struct WireError {
  const char* layer = "";  // "label", "encryption", "crc", "compress", "compound", "ping", ...
  const char* field = "";  // the wire's own key, e.g. "SeqNo"; "" for the layer as a whole
  WireFault fault = WireFault::malformed;
  std::uint32_t offset = 0;
};

template <class T>
using Decoded = std::expected<T, WireError>;

}  // namespace starling
