// A source: what one machine has of addresses at the least. Who counts connections by their sender
// counts them by this.
//
// An IPv4 address, or the /64 network of an IPv6 address, of which every host may use all. Pure.
#pragma once

#include <array>

#include "wire/base/types.h"

namespace starling {

// IPv4 addresses that are mapped into IPv6 count as IPv4.
inline IpAddress source_of(const IpAddress& address) {
  constexpr std::array<std::byte, 12> mapped{
      {{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, std::byte{0xff}, std::byte{0xff}}};
  const Bytes raw = address.bytes();
  if (raw.size() != 16) return address;
  if (equal(raw.first(mapped.size()), mapped)) return IpAddress(raw.subspan(mapped.size()));
  std::array<std::byte, 16> network{};
  std::ranges::copy(raw.first(8), network.begin());
  return IpAddress(network);
}

}  // namespace starling
