#include "io/port_options.h"

namespace starling::io {

std::optional<PortChoice> port_choice_from(std::string_view text) {
  if (text == "auto") return PortChoice::automatic;
  if (text == "uring") return PortChoice::uring;
  if (text == "sockets") return PortChoice::sockets;
  if (text == "dpdk") return PortChoice::dpdk;
  return std::nullopt;
}

}  // namespace starling::io
