// RingNetwork: ports of one process whose datagrams travel as DPDK's mbufs through its rings.
//
// Where the in-memory network has one lock for everybody, here each port has a lock-free ring that
// all others put mbufs into, and nothing is copied on the way: the buffer that a lane fills is the
// one that its peer reads. Streams, which are few, go through ports of another kind. Nothing is
// lost unless a ring is full or the pool empty. Any thread may open ports; each port has its own
// lane thread, which need not be one of DPDK's. Ports may outlive the network object.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "io/port_opener.h"

namespace starling::io {

class RingBoard;

class RingNetwork {
 public:
  struct Options {
    std::uint32_t ports_max = 16;
    std::size_t waiting_max = 4'096;  // datagrams in a port's ring
    PortOptions port;                 // what each port is opened with, for the size of the pool
  };
  // What EAL must be started with for such a network, where nobody has started it yet.
  static std::string eal_arguments(const Options& options);
  // Starts EAL with these arguments, or takes it as it was started, and makes the pool. The error
  // has EAL's words, or says how much memory was wanted. `streams` opens the ports that have the
  // streams and say where a port is bound.
  static std::expected<RingNetwork, std::string> create(const Options& options, PortOpener streams);

  // Port 0: the network chooses. The error says that the address is taken, that there are
  // ports_max already, that memory is short, or that packets are wanted larger than they are.
  std::expected<std::unique_ptr<Ports>, std::string> open(const PortOptions& options);

 private:
  RingNetwork(std::shared_ptr<RingBoard> board, std::size_t room_bytes, PortOpener streams)
      : board_(std::move(board)), room_bytes_(room_bytes), streams_(std::move(streams)) {}

  std::shared_ptr<RingBoard> board_;
  std::size_t room_bytes_;  // of a packet
  PortOpener streams_;
};

}  // namespace starling::io
