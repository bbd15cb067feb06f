// Opening ports: the one place that decides among io_uring, sockets and DPDK, and says why.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "io/port_opener.h"

namespace starling::io {

struct Opened {
  std::unique_ptr<Ports> ports;
  // One line for the start-up log: which ports were taken and why.
  // "io_uring: kernel 6.1.0, ring of 256 and 8192, 512 receive buffers"
  // "sockets: asked for"
  // "dpdk: net_af_packet0 (net_af_packet), the kernel finds neighbours, huge pages"
  // "sockets: io_uring_setup: operation not permitted (switched off by the system or ...)"
  std::string reason;
};

// Any thread; the ports may then be handed to the lane's. The error names the address and the
// system's words.
std::expected<Opened, std::string> open_ports(const PortOptions& options);

// The ports of a node with options.lanes lanes, the first of which has the streams. All of one
// kind.
std::expected<std::vector<Opened>, std::string> open_lane_ports(PortOptions options);

// Opens ports that reach each other inside this process.
PortOpener open_memory_network();
// The same with DPDK's rings for datagrams (io/dpdk/ring_network.h), each with about these options.
// The error has DPDK's words, or says that this build has no DPDK.
std::expected<PortOpener, std::string> open_ring_network(std::uint32_t ports_max,
                                                         const PortOptions& each);

}  // namespace starling::io
