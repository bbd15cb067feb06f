// The payload of Serf's acks: version byte 1 and the responder's network coordinate.
//
// protocol/serf section 14. A value; any thread. Whether the numbers make sense (finite, within
// bounds) is the receiver's judgement, not the decoder's.
#pragma once

#include "wire/base/bytes.h"
#include "wire/base/types.h"

namespace starling {

struct Coordinate {
  static constexpr std::size_t dimensions = 8;
  std::array<double, dimensions> vector{};
  double error = 1.5;
  double adjustment = 0;
  double height = 1e-5;
};

// Errors: another version byte, another number of dimensions than 8.
Decoded<Coordinate> decode_ping_payload(Bytes payload);
void encode_ping_payload(const Coordinate& coordinate, Writer& out);

}  // namespace starling
