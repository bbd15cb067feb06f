#include "io/dpdk/exception_path.h"

#include <linux/filter.h>
#include <sys/socket.h>

namespace starling::io {

bool mute(int udp_socket) {
  sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog program{1, &nothing};
  return ::setsockopt(udp_socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

ExceptionPath::ExceptionPath(Device tap, Device& device) : tap_(std::move(tap)), device_(&device) {
  tap_.set_mac(device.mac());
}

std::size_t ExceptionPath::pump() {
  std::size_t moved = 0;
  for (int bursts = 0; bursts < bursts_max; ++bursts) {
    std::array<rte_mbuf*, Device::burst_max> packets;
    const std::size_t got = tap_.receive(packets);
    if (got > 0) device_->send(std::span(packets).first(got));
    moved += got;
    if (got < packets.size()) break;
  }
  return moved;
}

}  // namespace starling::io
