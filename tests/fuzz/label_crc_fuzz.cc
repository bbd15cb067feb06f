// Any datagram under every label policy, and any message behind a checksum.
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"
#include "wire/crc.h"
#include "wire/label.h"

namespace starling {
namespace {

void check_label(Bytes packet, const LabelPolicy& policy) {
  const auto rest = strip_label(packet, policy);
  const auto stream = inspect_stream_label(packet, policy);
  if (rest) {
    CHECK(rest->data() + rest->size() == packet.data() + packet.size());
    std::vector<std::byte> room(packet.size());
    Writer out(room);
    if (!policy.skip_inbound_check) encode_label(policy.label, out);
    out.put(*rest);
    CHECK(out.ok() && equal(out.written(), packet));
  }
  if (packet.empty()) {
    CHECK(stream && !stream->complete);
  } else if (stream && stream->complete) {
    CHECK(rest && stream->header_bytes == packet.size() - rest->size());
  } else if (stream) {
    CHECK(!rest && rest.error().fault == WireFault::truncated);
  } else {
    CHECK(!rest && rest.error().fault == stream.error().fault);
  }
}

void check_crc(Bytes packet) {
  if (const auto inner = strip_crc(packet); inner) {
    std::array<std::byte, crc_header_bytes> header;
    fill_crc_header(header, *inner);
    CHECK(equal(Bytes(header).subspan(1), packet.subspan(1, 4)));
  }
  std::vector<std::byte> wrapped(crc_header_bytes);
  wrapped.insert(wrapped.end(), packet.begin(), packet.end());
  fill_crc_header(std::span(wrapped).first<crc_header_bytes>(), packet);
  const auto inner = strip_crc(wrapped);
  CHECK(inner && equal(*inner, packet));
  if (packet.empty()) return;
  wrapped.back() ^= std::byte{1};
  CHECK(!strip_crc(wrapped));
}

void check_packet(Bytes packet) {
  // The label that the packet itself carries is the interesting one to configure.
  std::string own = "blue";
  if (packet.size() > 2 && packet[0] == std::byte{244}) {
    const std::size_t bytes = std::to_integer<std::size_t>(packet[1]);
    own = as_text(packet.subspan(2, std::min(bytes, packet.size() - 2)));
  }
  check_label(packet, {});
  check_label(packet, {.label = own});
  check_label(packet, {.label = own, .skip_inbound_check = true});
  check_crc(packet);
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_packet)
