// Segmentation: which packets of a batch leave in one send, for the kernel to cut apart again.
//
// The problem: a datagram costs some microseconds in the kernel, nearly all of it per send. The
// idea: UDP_SEGMENT. Packets that follow each other to the same peer and have the same size, the
// last of them maybe less, are handed over as one, and arrive as they would have one by one. What
// the kernel or the path refuses (a size above the route's MTU, a device without checksums) is not
// tried again. Owned by a port, used by its lane's thread.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <span>

#include "core/shard/packets.h"

namespace starling::io {

class Segmentation {
 public:
  static constexpr std::size_t segments_max = 64;       // of older kernels; newer take more
  static constexpr std::size_t run_bytes_max = 65'507;  // what one UDP datagram holds over IPv4

  // How many packets from the front of `packets` leave in one send: at least 1 of at least 1.
  std::size_t run(std::span<const TxPacket> packets) const;

  // The kernel will not cut packets of this size apart here; send them one by one.
  static bool is_refusal(int error_number);
  // Remembers a refusal.
  void refused(int error_number, std::size_t segment_bytes);

 private:
  std::size_t segment_bytes_max_ = run_bytes_max;
};

// The control message that tells the kernel the size of the segments.
class SegmentHeader {
 public:
  // For a run of at least two packets. The message points here afterwards.
  void attach(msghdr& message, std::size_t segment_bytes);

 private:
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(std::uint16_t))> room_{};
};

}  // namespace starling::io
