#include "wire/label.h"

#include "wire/base/check.h"
#include "wire/messages.h"

namespace starling {
namespace {

std::unexpected<WireError> fault_at(WireFault fault, std::uint32_t offset) {
  return std::unexpected(WireError{"label", "", fault, offset});
}

// The label that the header at the front of `input` holds; truncated when the header is cut off.
Decoded<std::string_view> read_header(Bytes input) {
  Reader in(input, "label");
  in.skip(1);
  const std::size_t bytes = in.u8();
  const Bytes label = in.take(bytes);
  if (!in.ok()) return std::unexpected(in.error());
  if (bytes == 0) return fault_at(WireFault::malformed, 1);
  return as_text(label);
}

bool has_header(Bytes input) {
  return !input.empty() && input[0] == std::byte{label_marker};
}

// Whether a received label ("" for none) is acceptable.
bool permitted(std::string_view received, const LabelPolicy& policy) {
  if (policy.skip_inbound_check) return received.empty();
  return received == policy.label;
}

}  // namespace

void encode_label(std::string_view label, Writer& out) {
  CHECK(label.size() <= label_bytes_max);
  if (label.empty()) return;
  out.u8(label_marker);
  out.u8(static_cast<std::uint8_t>(label.size()));
  out.put(as_bytes(label));
}

Decoded<Bytes> strip_label(Bytes packet, const LabelPolicy& policy) {
  std::string_view received;
  if (has_header(packet)) {
    const auto header = read_header(packet);
    if (!header) return std::unexpected(header.error());
    received = *header;
  }
  if (!permitted(received, policy)) return fault_at(WireFault::mismatch, 0);
  return packet.subspan(label_overhead(received));
}

Decoded<StreamLabel> inspect_stream_label(Bytes so_far, const LabelPolicy& policy) {
  if (so_far.empty()) return StreamLabel{};
  std::string_view received;
  if (has_header(so_far)) {
    const auto header = read_header(so_far);
    if (!header && header.error().fault == WireFault::truncated) return StreamLabel{};
    if (!header) return std::unexpected(header.error());
    received = *header;
  }
  if (!permitted(received, policy)) return fault_at(WireFault::mismatch, 0);
  return StreamLabel{.complete = true, .header_bytes = label_overhead(received)};
}

}  // namespace starling
