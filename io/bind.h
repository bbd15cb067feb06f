// Binding: the UDP socket and the TCP listener that every kernel port starts from.
#pragma once

#include <expected>
#include <string>

#include "io/file.h"
#include "io/port_options.h"

namespace starling::io {

struct BoundSockets {
  File datagrams;  // UDP, non-blocking
  File listener;   // TCP, non-blocking, listening; not open for a lane that takes no streams
  Endpoint bound;
  int family = 0;  // AF_INET or AF_INET6
};

// With port 0 the system chooses the TCP port and UDP takes the same number, or all is tried again
// (10 times, as memberlist does). An address of the caller's choice that is taken is tried for a
// fifth of a second, because the kernel may be slow to take it back from a process just ended. The
// error names the address and the system's words: "bind udp 127.0.0.1:7946: address already in
// use".
std::expected<BoundSockets, std::string> bind_sockets(const PortOptions& options);

}  // namespace starling::io
