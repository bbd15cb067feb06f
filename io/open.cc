#include "io/open.h"

#include <sys/utsname.h>

#include <cerrno>

#include "io/bind.h"
#ifdef STARLING_DPDK
#include "io/dpdk/open.h"
#endif
#include "io/errno_text.h"
#include "io/memory/network.h"
#include "io/sockets/ports.h"
#include "io/uring/ports.h"

namespace starling::io {

namespace {

std::expected<Opened, std::string> open_sockets(const PortOptions& options, BoundSockets sockets,
                                                const std::string& why) {
  auto ports = SocketPorts::create(options, std::move(sockets));
  if (!ports) return std::unexpected(std::move(ports.error()));
  return Opened{std::move(*ports), "sockets: " + why};
}

std::string kernel_release() {
  utsname names;
  return ::uname(&names) == 0 ? names.release : "unknown";
}

#ifdef STARLING_DPDK
// Sockets that hold a lane's address but hear no datagrams.
std::expected<std::unique_ptr<Ports>, std::string> muted_sockets(const PortOptions& options) {
  auto sockets = bind_sockets(options);
  if (!sockets) return std::unexpected(std::move(sockets.error()));
  if (!mute_datagrams(sockets->datagrams.descriptor())) {
    return std::unexpected("attach a filter to the udp socket: " + errno_text(errno));
  }
  auto ports = SocketPorts::create(options, std::move(*sockets));
  if (!ports) return std::unexpected(std::move(ports.error()));
  return std::move(*ports);
}

std::expected<std::vector<Opened>, std::string> open_with_dpdk(PortOptions options) {
  if (auto started = start_dpdk(options); !started) return std::unexpected(started.error());
  std::vector<std::unique_ptr<Ports>> kernels;
  for (options.lane = 0; options.lane < options.lanes; ++options.lane) {
    auto kernel = muted_sockets(options);
    if (!kernel) return std::unexpected(std::move(kernel.error()));
    if (options.lane == 0) options.bind = (*kernel)->bound();
    kernels.push_back(std::move(*kernel));
  }
  auto opened = open_dpdk(options, std::move(kernels));
  if (!opened) return std::unexpected(std::move(opened.error()));
  std::vector<Opened> all;
  for (OpenedDpdk& one : *opened) all.push_back({std::move(one.ports), "dpdk: " + one.text});
  return all;
}
#else
std::expected<std::vector<Opened>, std::string> open_with_dpdk(const PortOptions&) {
  return std::unexpected("dpdk: this program was built without DPDK");
}
#endif

}  // namespace

std::expected<Opened, std::string> open_ports(const PortOptions& options) {
  if (options.choice == PortChoice::dpdk) {
    PortOptions alone = options;
    alone.lanes = 1;
    alone.lane = 0;
    auto opened = open_with_dpdk(alone);
    if (!opened) return std::unexpected(std::move(opened.error()));
    return std::move(opened->front());
  }
  auto sockets = bind_sockets(options);
  if (!sockets) return std::unexpected(std::move(sockets.error()));
  if (options.choice == PortChoice::sockets) {
    return open_sockets(options, std::move(*sockets), "asked for");
  }
  auto uring = UringPorts::create(options, *sockets);
  if (uring) {
    std::string reason = "io_uring: kernel " + kernel_release() + ", " + (*uring)->size_text();
    return Opened{std::move(*uring), std::move(reason)};
  }
  if (options.choice == PortChoice::uring) return std::unexpected(std::move(uring.error()));
  return open_sockets(options, std::move(*sockets), uring.error());
}

std::expected<std::vector<Opened>, std::string> open_lane_ports(PortOptions options) {
  if (options.choice == PortChoice::dpdk) return open_with_dpdk(std::move(options));
  std::vector<Opened> all;
  for (options.lane = 0; options.lane < options.lanes; ++options.lane) {
    auto opened = open_ports(options);
    if (!opened) return std::unexpected(std::move(opened.error()));
    if (options.lane == 0) {
      options.bind = opened->ports->bound();
      // The rest as the first: a node whose lanes differ would be hard to understand.
      if (opened->ports->name() == "sockets") options.choice = PortChoice::sockets;
      if (opened->ports->name() == "io_uring") options.choice = PortChoice::uring;
    }
    all.push_back(std::move(*opened));
  }
  return all;
}

PortOpener open_memory_network() {
  return [network = std::make_shared<MemoryNetwork>()](const PortOptions& options) {
    return network->open(options);
  };
}

std::expected<PortOpener, std::string> open_ring_network([[maybe_unused]] std::uint32_t ports_max,
                                                         [[maybe_unused]] const PortOptions& each) {
#ifdef STARLING_DPDK
  return open_rings(ports_max, each, open_memory_network());
#else
  return std::unexpected("rings: this build has no DPDK");
#endif
}

}  // namespace starling::io
