// The exception path: what is not ours goes to the kernel, and what the kernel sends goes out.
//
// A device that DPDK owns whole hides the wire from the kernel. With a TAP device beside it the
// kernel still runs TCP, ARP, neighbour discovery and ICMP there: every frame that is not a
// datagram of ours is handed to the TAP, and every frame the kernel sends into the TAP goes out by
// the device. The TAP takes the device's MAC, so that the kernel speaks as the device.
// Owned by the port's datagrams; the lane's thread.
#pragma once

#include "io/dpdk/device.h"

namespace starling::io {

// Makes the kernel drop what arrives at a UDP socket. The socket keeps the port taken and the
// kernel from answering "port unreachable" to datagrams that DPDK also receives. False when the
// system refuses.
bool mute(int udp_socket);

class ExceptionPath {
 public:
  // The TAP must be open; `device` must outlive this.
  ExceptionPath(Device tap, Device& device);

  InterfaceIndex interface() const { return tap_.interface(); }
  std::string name() const { return tap_.name(); }

  // To the kernel; takes the packets.
  void up(std::span<rte_mbuf*> packets) { tap_.send(packets); }
  // Moves what the kernel sent, at most a few bursts; how many frames.
  std::size_t pump();

 private:
  static constexpr int bursts_max = 4;

  Device tap_;
  Device* device_;
};

}  // namespace starling::io
