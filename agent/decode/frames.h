// A captured frame: link layer, IP, then UDP or TCP. Pure functions over bytes, any thread.
//
// Link types: Ethernet with VLAN tags, Linux cooked (both versions), raw IP, BSD loopback. Views
// point into the frame.
#pragma once

#include "wire/base/types.h"

namespace starling::agent::decode {

struct TcpHeader {
  std::uint32_t sequence = 0;
  bool syn = false;
  bool fin = false;
  bool reset = false;
};

struct Packet {
  enum class Kind : std::uint8_t {
    other,           // neither UDP nor TCP over IP
    later_fragment,  // without ports
    udp,
    tcp,
  };
  Kind kind = Kind::other;
  bool fragment = false;   // the first of several: the payload is not whole
  bool cut_short = false;  // the capture does not have the whole payload
  Endpoint source;
  Endpoint destination;
  TcpHeader tcp;
  Bytes payload;
};

bool is_known_link(int link_type);
// `link_type` is libpcap's DLT_ number. Errors: truncated and malformed headers; unsupported for an
// unknown link type.
Decoded<Packet> parse_frame(int link_type, Bytes frame);

}  // namespace starling::agent::decode
