// Opening the DPDK ports: EAL, the devices, and the kernel's ports beside them.
//
// Without a DPDK name, so that io/open.cc need not know DPDK's headers.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "io/port_opener.h"

namespace starling::io {

struct OpenedDpdk {
  std::unique_ptr<Ports> ports;
  // "net_af_packet0 (net_af_packet), the kernel finds neighbours, huge pages"
  std::string text;
};

// Starts EAL with options.dpdk_arguments if that was not done, before the kernel's ports are bound:
// a device of EAL's may carry their address. Then takes the first free device that is no TAP, and
// a TAP beside it as exception path; a TAP alone is the device.
std::expected<void, std::string> start_dpdk(const PortOptions& options);
// Opens the ports of one RingNetwork (ring_network.h), with streams of the opener given.
std::expected<PortOpener, std::string> open_rings(std::uint32_t ports_max, const PortOptions& each,
                                                  PortOpener streams);
// The ports of options.lanes lanes on one device. `kernels`, one for each, are bound to where
// datagrams shall come from; their datagrams are muted.
std::expected<std::vector<OpenedDpdk>, std::string> open_dpdk(
    PortOptions options, std::vector<std::unique_ptr<Ports>> kernels);
// See exception_path.h; here for the same reason.
bool mute_datagrams(int udp_socket);

}  // namespace starling::io
