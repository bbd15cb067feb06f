// Network addresses as text: what flags, join targets and Serf's output use.
//
// protocol/serf sections 8 and 16.1. Resolving names may block for seconds: the control thread
// calls resolve() only before the agent runs; later it goes through Resolver (resolver.h).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/base/types.h"

namespace starling::agent {

// Go's net.IP.String: dotted for IPv4, also when mapped into 16 bytes; "<nil>" when empty.
std::string format_address(const IpAddress& address);
// "1.2.3.4:7946", "[::1]:7946", ":7946" without an address.
std::string format_endpoint(const Endpoint& endpoint);

// A literal IPv4 (4 bytes) or IPv6 (16 bytes) address.
std::optional<IpAddress> parse_address(std::string_view text);

struct HostPort {
  std::string host;
  std::string port;  // a number or empty
};
// "host:port" or "[v6]:port"; the port may be empty. Errors as Go's net.SplitHostPort, e.g.
// "address x: missing port in address".
std::expected<HostPort, std::string> split_host_port(std::string_view text);

// "host", "host:port", "[v6]", "v6", "[v6]:port" with a port for the first kind.
std::expected<HostPort, std::string> split_with_default(std::string_view text,
                                                        std::uint16_t default_port);

// 0..65535; the error is Go's "address 99999: invalid port".
std::expected<std::uint16_t, std::string> parse_port(std::string_view text);

// The addresses of a literal or a host name, in the resolver's order without repeats. Blocks. The
// error is "lookup HOST: no such host" or the resolver's own text.
std::expected<std::vector<IpAddress>, std::string> resolve(std::string_view host);

// A target of a join: "host", "host:port" or "name/host:port". A host that is the name of a service
// ("_serf._tcp.example.com") stands for every place that DNS gives for it (srv_lookup.h), each with
// its own port.
struct JoinTarget {
  std::string text;       // as given
  std::string node_name;  // may be empty
  std::vector<Endpoint> endpoints;
};
std::expected<JoinTarget, std::string> resolve_join_target(std::string_view text,
                                                           std::uint16_t default_port);

}  // namespace starling::agent
