// MemoryNetwork: ports that reach each other inside one process, by the same rules as sockets.
//
// For examples, agent tests, drills and swarms. Datagrams go through bounded queues, streams
// through bounded pipes; nothing is delayed, and nothing is lost unless a queue is full. Any thread
// may open ports; each port has its own lane thread. Ports may outlive the network object.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "io/port_options.h"
#include "io/ports.h"

namespace starling::io {

struct Switchboard;

class MemoryNetwork {
 public:
  MemoryNetwork();

  // Port 0: the network chooses. The error says that the address is taken, or that memory is short.
  std::expected<std::unique_ptr<Ports>, std::string> open(const PortOptions& options);

 private:
  std::shared_ptr<Switchboard> switchboard_;
  std::uint16_t next_port_;  // rises, so that an address just given up is not given out at once
};

}  // namespace starling::io
