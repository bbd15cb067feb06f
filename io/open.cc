#include "io/open.h"

#include "io/bind.h"
#include "io/sockets/ports.h"

namespace starling::io {

namespace {

std::expected<Opened, std::string> open_sockets(const PortOptions& options, BoundSockets sockets,
                                                std::string reason) {
  auto ports = SocketPorts::create(options, std::move(sockets));
  if (!ports) return std::unexpected(std::move(ports.error()));
  return Opened{std::move(*ports), std::move(reason)};
}

}  // namespace

std::expected<Opened, std::string> open_ports(const PortOptions& options) {
  auto sockets = bind_sockets(options);
  if (!sockets) return std::unexpected(std::move(sockets.error()));
  if (options.choice == PortChoice::uring) {
    return std::unexpected("io_uring: not built in");
  }
  return open_sockets(options, std::move(*sockets), "sockets: asked for");
}

}  // namespace starling::io
