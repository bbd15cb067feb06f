#include "io/open.h"

#include <sys/utsname.h>

#include "io/bind.h"
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

}  // namespace

std::expected<Opened, std::string> open_ports(const PortOptions& options) {
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

}  // namespace starling::io
