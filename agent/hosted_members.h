// Which members an agent hosts from its start: what -host-members says.
//
// PREFIX:COUNT names PREFIX-0001, PREFIX-0002 and so on, without tags. Anything else, and anything
// with a slash, is a file with a JSON array of {"name": "...", "tags": {"k": "v"}, "advertise":
// "ip[:port]"}; only the name must be there. Errors name the file, the element (from 1) and the
// field.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "agent/member_info.h"

namespace starling::agent {

// The engine takes no more, with the agent's own.
inline constexpr std::size_t hosted_members_max = (1U << 20) - 1;

struct HostedSpec {
  std::string name;
  Tags tags;
  std::string advertise;  // "ip[:port]", or empty: as the agent's own
};

std::expected<std::vector<HostedSpec>, std::string> read_hosted_members(const std::string& text);

// What peers are told for `advertise`; what it leaves out is as in `own`.
std::expected<Endpoint, std::string> hosted_endpoint(std::string_view advertise,
                                                     const Endpoint& own);

}  // namespace starling::agent
