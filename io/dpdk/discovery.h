// Discovery: ARP and IPv6 neighbour discovery as bytes, for ports that no kernel answers for.
//
// Requests to send, requests to answer, answers to learn from. Pure functions; the frames are
// written into the caller's room. RFC 826, RFC 4861 section 4.3, 4.4 and 7.
#pragma once

#include <optional>

#include "io/dpdk/headers.h"

namespace starling::io {

// Room for any frame of these: the longest is a neighbour solicitation with its option.
constexpr std::size_t discovery_bytes_max = ethernet_bytes + ipv6_bytes + 32;

// Who claims an address.
struct Neighbour {
  IpAddress address;
  MacAddress mac;
};

// Asks who has `wanted`, an IPv4 address (ARP) or an IPv6 address (solicitation). The bytes
// written; `own` has the same family.
std::size_t write_request(MutableBytes room, const Neighbour& own, const IpAddress& wanted);

struct Discovered {
  // Who sent it, when it says so.
  std::optional<Neighbour> sender;
  // Whether it asks for `own.address`: then it wants write_answer().
  bool asks_for_us = false;
};
// Reads an ARP or neighbour discovery frame; nullopt when it breaks the rules for such frames
// (lengths, hop limit of 255, checksum).
std::optional<Discovered> read_discovery(Bytes frame, const Neighbour& own);
// The answer to the frame that asked. The bytes written.
std::size_t write_answer(MutableBytes room, const Neighbour& own, const Neighbour& asker);

}  // namespace starling::io
