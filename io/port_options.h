// What ports can be told before they open. A value, filled by the agent or a test.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.h"
#include "io/address.h"
#include "wire/base/types.h"

namespace starling::io {

// Which ports to take; `-io` on the command line.
enum class PortChoice : std::uint8_t {
  automatic,  // io_uring where the system allows it, sockets elsewhere
  uring,      // io_uring or fail
  sockets,    // ordinary system calls
  dpdk,       // a DPDK device for datagrams, sockets for streams
};
// "auto", "uring", "sockets", "dpdk".
std::optional<PortChoice> port_choice_from(std::string_view text);

struct PortOptions {
  // One address and one port number for datagrams and streams. Port 0: the system chooses.
  // "0.0.0.0" is IPv4 only; "::" takes both families.
  Endpoint bind;
  Zone zone = Zone::none;  // for link-local addresses
  PortChoice choice = PortChoice::automatic;
  // One of several ports of a node that share its address, a lane each: the system spreads
  // datagrams over them by their sender. The first takes streams; the others only dial none and
  // accept none.
  std::uint32_t lanes = 1;
  std::uint32_t lane = 0;
  // What DPDK is started with, split as a shell does: "--vdev=net_af_packet0,iface=eth0". The first
  // caller in a process decides.
  std::string dpdk_arguments = {};

  // The room of each blank that borrow() lends: EngineOptions::packet_room_bytes().
  std::size_t packet_room_bytes = 2048;
  // Larger datagrams are dropped and counted. The default takes whatever UDP can carry, as
  // memberlist does; only the pages that datagrams really fill cost memory.
  std::size_t datagram_bytes_max = 65'536;
  std::size_t receive_slots = 512;  // datagrams received and not yet released
  std::size_t send_slots = 256;     // blanks lent at a time
  // Wanted size of the kernel's receive buffer; the largest that the system grants up to this.
  std::size_t socket_buffer_bytes = 8u << 20;

  // Dialled streams at a time, and the same number again of accepted ones. Peers beyond it wait
  // in the kernel's backlog.
  std::size_t streams_max = 64;
  // How long a finished stream waits for its peer's end before it is closed regardless.
  Duration linger_max = std::chrono::seconds(1);
};

}  // namespace starling::io
