// The cluster label header: 244, length, label. protocol/memberlist section 4.5.
#pragma once

#include "wire/base/bytes.h"
#include "wire/base/types.h"

namespace starling {

inline constexpr std::size_t label_bytes_max = 255;

struct LabelPolicy {
  std::string_view label;           // the configured label; empty: none
  bool skip_inbound_check = false;  // a proxy in front has stripped and checked it
};

// Header bytes in front of a packet or stream; 0 without a label.
constexpr std::size_t label_overhead(std::string_view label) {
  return label.empty() ? 0 : 2 + label.size();
}
// Writes the header; nothing for an empty label.
void encode_label(std::string_view label, Writer& out);

// Strips and checks the header of a datagram. The result is what follows it.
Decoded<Bytes> strip_label(Bytes packet, const LabelPolicy& policy);

// What the first bytes of a stream say about its label header.
struct StreamLabel {
  bool complete = false;         // false: more bytes are needed to decide
  std::size_t header_bytes = 0;  // to skip, when complete
};
Decoded<StreamLabel> inspect_stream_label(Bytes so_far, const LabelPolicy& policy);

}  // namespace starling
