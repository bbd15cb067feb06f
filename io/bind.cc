#include "io/bind.h"

#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "io/errno_text.h"

namespace starling::io {

namespace {

constexpr int attempts_max = 10;
// The kernel takes back the sockets of a process that was killed while it used io_uring only some
// time after its end (measured: 30 to 40 ms), and a supervisor may be faster.
constexpr int patient_attempts_max = 20;
constexpr int patient_milliseconds = 10;
constexpr int backlog = 1024;  // the system cuts it to net.core.somaxconn

struct BindError {
  int number;
  std::string text;
};

std::unexpected<BindError> error_of(const char* what, const Endpoint& endpoint) {
  const int number = errno;
  return std::unexpected(
      BindError{number, std::string(what) + " " + to_text(endpoint) + ": " + errno_text(number)});
}

void set_option(const File& file, int level, int name, int value) {
  ::setsockopt(file.descriptor(), level, name, &value, sizeof value);
}

std::expected<File, BindError> bound_socket(const Endpoint& endpoint, int family, Zone zone,
                                            int type, bool shared = false) {
  const bool tcp = type == SOCK_STREAM;
  File file(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!file.open()) return error_of(tcp ? "open tcp socket for" : "open udp socket for", endpoint);
  // As Go does: a listener may be restarted while old connections are still dying. Not for UDP,
  // where it would let two processes share the port.
  if (tcp) set_option(file, SOL_SOCKET, SO_REUSEADDR, 1);
  // Lanes share their node's port. The listener, which is not shared, keeps other nodes away.
  if (shared) set_option(file, SOL_SOCKET, SO_REUSEPORT, 1);
  // "::" serves both families whatever the system's default is.
  if (family == AF_INET6) set_option(file, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  SocketAddress address;
  if (!to_socket_address(endpoint, family, zone, address)) errno = EAFNOSUPPORT;
  if (address.bytes == 0 || ::bind(file.descriptor(), address.get(), address.bytes) != 0) {
    return error_of(tcp ? "bind tcp" : "bind udp", endpoint);
  }
  return file;
}

// The largest buffer the system grants, by halving as memberlist does. Privileged processes may go
// beyond the system's limit. The kernel reports twice the usable size.
void enlarge_receive_buffer(const File& file, std::size_t bytes_wanted) {
  for (std::size_t bytes = bytes_wanted; bytes >= 65'536; bytes /= 2) {
    const int value = static_cast<int>(std::min<std::size_t>(bytes, 1u << 30));
    if (::setsockopt(file.descriptor(), SOL_SOCKET, SO_RCVBUFFORCE, &value, sizeof value) == 0) {
      return;
    }
    set_option(file, SOL_SOCKET, SO_RCVBUF, value);
    int granted = 0;
    socklen_t granted_bytes = sizeof granted;
    ::getsockopt(file.descriptor(), SOL_SOCKET, SO_RCVBUF, &granted, &granted_bytes);
    if (granted >= value) return;
  }
}

std::expected<BoundSockets, BindError> attempt(const PortOptions& options) {
  BoundSockets sockets;
  sockets.family = family_of(options.bind.address);
  sockets.bound = options.bind;

  if (options.lane > 0) {
    auto datagrams = bound_socket(options.bind, sockets.family, options.zone, SOCK_DGRAM, true);
    if (!datagrams) return std::unexpected(datagrams.error());
    sockets.datagrams = std::move(*datagrams);
    enlarge_receive_buffer(sockets.datagrams, options.socket_buffer_bytes);
    return sockets;
  }
  auto listener = bound_socket(options.bind, sockets.family, options.zone, SOCK_STREAM);
  if (!listener) return std::unexpected(listener.error());
  sockets.listener = std::move(*listener);
  if (::listen(sockets.listener.descriptor(), backlog) != 0) {
    return error_of("listen on tcp", options.bind);
  }
  if (options.bind.port == 0) {
    SocketAddress address;
    address.bytes = sizeof address.storage;
    if (::getsockname(sockets.listener.descriptor(), address.get(), &address.bytes) != 0) {
      return error_of("read the address of tcp", options.bind);
    }
    sockets.bound.port = to_endpoint(address.storage).port;
  }

  auto datagrams =
      bound_socket(sockets.bound, sockets.family, options.zone, SOCK_DGRAM, options.lanes > 1);
  if (!datagrams) return std::unexpected(datagrams.error());
  sockets.datagrams = std::move(*datagrams);
  enlarge_receive_buffer(sockets.datagrams, options.socket_buffer_bytes);
  return sockets;
}

}  // namespace

std::expected<BoundSockets, std::string> bind_sockets(const PortOptions& options) {
  const bool chosen_by_system = options.bind.port == 0;
  for (int tried = 1;; ++tried) {
    auto sockets = attempt(options);
    if (sockets) return std::move(*sockets);
    const bool again = sockets.error().number == EADDRINUSE &&
                       tried < (chosen_by_system ? attempts_max : patient_attempts_max);
    if (!again) return std::unexpected(std::move(sockets.error().text));
    // With a port of the system's choice, somebody else may hold the same number for UDP: another
    // number is tried at once.
    if (!chosen_by_system) ::poll(nullptr, 0, patient_milliseconds);
  }
}

}  // namespace starling::io
