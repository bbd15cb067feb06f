// Checks on the version numbers that members claim (protocol/memberlist section 7).
//
// Pure values; a VersionCheck belongs to whoever runs one push/pull exchange.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>

#include "wire/base/types.h"

namespace starling {

constexpr std::size_t versions_bytes = 6;

// The six numbers in wire order; nothing when there are fewer. Further bytes are ignored.
inline std::optional<Versions> read_versions(Bytes wire) {
  if (wire.size() < versions_bytes) return std::nullopt;
  const auto number = [&](std::size_t at) { return std::to_integer<std::uint8_t>(wire[at]); };
  return Versions{.protocol_min = number(0),
                  .protocol_max = number(1),
                  .protocol_current = number(2),
                  .delegate_min = number(3),
                  .delegate_max = number(4),
                  .delegate_current = number(5)};
}

inline std::array<std::byte, versions_bytes> write_versions(const Versions& versions) {
  return {std::byte{versions.protocol_min},     std::byte{versions.protocol_max},
          std::byte{versions.protocol_current}, std::byte{versions.delegate_min},
          std::byte{versions.delegate_max},     std::byte{versions.delegate_current}};
}

// Section 7.1: whether an alive message with this Vsn may be processed. Vectors of fewer than
// three bytes pass.
inline bool versions_sane(Bytes wire) {
  if (wire.size() < 3) return true;
  const auto minimum = std::to_integer<std::uint8_t>(wire[0]);
  const auto maximum = std::to_integer<std::uint8_t>(wire[1]);
  return minimum != 0 && maximum != 0 && minimum <= maximum;
}

// Section 7.2, fed entry by entry in any order: every current version must lie in the range that
// all alive entries, remote and local, understand. Constant size: it keeps the narrowest range and
// the extremes of what is spoken.
class VersionCheck {
 public:
  // One entry of the peer's list. A Vsn shorter than six bytes counts as speaking version 0.
  void add_remote(std::int64_t state, Bytes wire) {
    const auto number = [&](std::size_t at) { return std::to_integer<std::uint8_t>(wire[at]); };
    if (state == 0 && wire.size() >= 5) {
      protocol_.understands(number(0), number(1));
      delegate_.understands(number(3), number(4));
    }
    const bool complete = wire.size() >= versions_bytes;
    protocol_.speaks(complete ? number(2) : std::uint8_t{0});
    delegate_.speaks(complete ? number(5) : std::uint8_t{0});
  }
  // One row of our own table.
  void add_local(MemberState state, const Versions& versions) {
    if (state == MemberState::alive) {
      protocol_.understands(versions.protocol_min, versions.protocol_max);
      delegate_.understands(versions.delegate_min, versions.delegate_max);
    }
    protocol_.speaks(versions.protocol_current);
    delegate_.speaks(versions.delegate_current);
  }
  // Takes in what another shard has seen.
  void merge(const VersionCheck& other) {
    protocol_.merge(other.protocol_);
    delegate_.merge(other.delegate_);
  }

  // The same in eight bytes, for another thread to read in one piece.
  std::uint64_t pack() const { return std::bit_cast<std::uint64_t>(Packed{protocol_, delegate_}); }
  static VersionCheck unpack(std::uint64_t packed) {
    const Packed spaces = std::bit_cast<Packed>(packed);
    VersionCheck check;
    check.protocol_ = spaces.protocol;
    check.delegate_ = spaces.delegate;
    return check;
  }

  // False: the exchange fails and nothing is merged.
  bool compatible() const { return protocol_.compatible() && delegate_.compatible(); }

 private:
  struct Space {
    std::uint8_t minimum_max = 0, maximum_min = 255;  // the range all alive entries understand
    std::uint8_t current_min = 255, current_max = 0;  // what all entries speak

    void understands(std::uint8_t minimum, std::uint8_t maximum) {
      minimum_max = std::max(minimum_max, minimum);
      maximum_min = std::min(maximum_min, maximum);
    }
    void speaks(std::uint8_t current) {
      current_min = std::min(current_min, current);
      current_max = std::max(current_max, current);
    }
    void merge(const Space& other) {
      understands(other.minimum_max, other.maximum_min);
      current_min = std::min(current_min, other.current_min);
      current_max = std::max(current_max, other.current_max);
    }
    bool compatible() const {
      const bool nothing_spoken = current_min > current_max;
      return nothing_spoken || (current_min >= minimum_max && current_max <= maximum_min);
    }
  };

  struct Packed {
    Space protocol, delegate;
  };

  Space protocol_;
  Space delegate_;
};

}  // namespace starling
