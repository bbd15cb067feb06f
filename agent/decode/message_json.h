// memberlist's messages as JSON, when all layers are off. Any thread.
//
// protocol/memberlist section 6. Keys are those of the wire, "type" is the protocol's name.
#pragma once

#include "agent/decode/values.h"

namespace starling::agent::decode {

// A message as far as it was readable, and what stopped the reading.
struct DescribedMessage {
  Json json;
  std::optional<WireError> fault;
  std::size_t surplus_bytes = 0;  // behind the message
};

// What a datagram carries: types 0 to 5, 8 and 11, and 83, by which agents of this kind compare
// their tables: of those the header and how much they bring. `message` starts with its type byte.
DescribedMessage datagram_message_json(Bytes message);
// What a stream carries: ping, ack, push/pull, user, err. Offsets of faults inside a push/pull
// count from the byte behind its type.
DescribedMessage stream_message_json(Bytes message);

}  // namespace starling::agent::decode
