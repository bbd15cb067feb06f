// Rtnetlink: asks the kernel which way a destination lies and who the next neighbour is.
//
// The kernel keeps routes and runs ARP and neighbour discovery where it owns the addresses; a port
// that writes Ethernet headers itself reads both from there (rtnetlink(7)). The kernel answers
// these two questions before sendmsg() returns, so asking does not block. Used by the lane's
// thread; the messages themselves are pure functions.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "io/dpdk/headers.h"
#include "io/file.h"

namespace starling::io {

// The number of a network interface; 0 is none.
enum class InterfaceIndex : std::uint32_t { none = 0 };

struct KernelRoute {
  InterfaceIndex interface = InterfaceIndex::none;
  IpAddress next_hop;  // the gateway, or the destination itself
  IpAddress source;    // what the kernel would put into its packets; empty when it does not say
};

struct KernelNeighbour {
  MacAddress mac;
  // Confirmed not long ago; otherwise traffic of the kernel's own should make it look again.
  bool fresh = false;
};

// The requests and their answers as bytes. An answer that does not parse, or is an error, is
// nullopt.
constexpr std::size_t netlink_request_bytes_max = 128;
std::size_t write_route_request(MutableBytes room, std::uint32_t sequence,
                                const IpAddress& destination);
std::size_t write_neighbour_request(MutableBytes room, std::uint32_t sequence,
                                    InterfaceIndex interface, const IpAddress& address);
// nullopt also for routes that lead nowhere, or back to this machine.
std::optional<KernelRoute> parse_route(Bytes answer, std::uint32_t sequence,
                                       const IpAddress& destination);
// nullopt also while the kernel does not know the MAC.
std::optional<KernelNeighbour> parse_neighbour(Bytes answer, std::uint32_t sequence);

class Rtnetlink {
 public:
  static std::expected<Rtnetlink, std::string> open();

  std::optional<KernelRoute> route(const IpAddress& destination);
  std::optional<KernelNeighbour> neighbour(InterfaceIndex interface, const IpAddress& address);
  // Makes the kernel look for a neighbour by sending it an empty datagram, to the port for things
  // to be thrown away (RFC 863).
  void provoke(const IpAddress& address, InterfaceIndex interface);

 private:
  static constexpr std::size_t answer_bytes_max = 4096;

  Rtnetlink(File netlink, File ipv4, File ipv6)
      : netlink_(std::move(netlink)), ipv4_(std::move(ipv4)), ipv6_(std::move(ipv6)) {}
  // The answer in room_, or nothing.
  Bytes ask(Bytes request);

  File netlink_;
  File ipv4_, ipv6_;
  std::uint32_t sequence_ = 0;
  alignas(8) std::array<std::byte, answer_bytes_max> room_{};
};

}  // namespace starling::io
