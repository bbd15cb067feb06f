// AllowList: the networks that members may come from (protocol/memberlist section 19).
//
// A value, set from the configuration at start. An empty list allows everybody. IPv4 addresses
// mapped into IPv6 match IPv4 networks.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "wire/base/types.h"

namespace starling {

class AllowList {
 public:
  static constexpr std::size_t networks_max = 64;

  // Adds a network like "10.0.0.0/8" or "fd00::/8". False: not a network, or the list is full.
  bool add(std::string_view cidr);

  bool allows(const IpAddress& address) const;
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }

 private:
  struct Network {
    IpAddress base;  // 4 or 16 bytes, host bits zero
    std::uint8_t bits = 0;
  };
  static std::optional<Network> parse(std::string_view cidr);
  static bool contains(const Network& network, const IpAddress& address);

  std::array<Network, networks_max> networks_{};
  std::size_t count_ = 0;
};

}  // namespace starling
