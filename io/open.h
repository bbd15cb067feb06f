// Opening ports: the one place that decides among io_uring, sockets and DPDK, and says why.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "io/port_options.h"
#include "io/ports.h"

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

}  // namespace starling::io
