// Where a service is, by DNS SRV records (RFC 2782).
//
// Blocks for as long as the name servers take; called from Resolver's thread. Bounds: places_max
// places, in order of priority and, within one, of weight.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/base/types.h"

namespace starling::agent {

struct ServicePlace {
  std::string host;
  std::uint16_t port = 0;
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
};
inline constexpr std::size_t service_places_max = 64;

// "_service._proto.domain".
bool is_service_name(std::string_view host);

// By the system's name servers, or by `server`. The error is worded as that of other look-ups:
// "lookup _serf._tcp.example.com: no such host".
std::expected<std::vector<ServicePlace>, std::string> look_up_service(
    const std::string& name, std::optional<Endpoint> server = std::nullopt);

// The places in a DNS answer; nullopt when it cannot be read.
std::optional<std::vector<ServicePlace>> read_service_answer(Bytes answer);

}  // namespace starling::agent
