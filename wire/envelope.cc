#include "wire/envelope.h"

#include "wire/base/check.h"
#include "wire/sync.h"

namespace starling {
namespace {

constexpr std::size_t datagram_bytes_max = 65536;
// Recursion in unfold() goes as deep as the limit; a frame costs about a kilobyte of stack.
constexpr std::size_t nesting_allowed = 64;
constexpr std::size_t sealed_prefix_bytes = 1 + nonce_bytes;
// Type byte, map header, "Algo", 0, "Buf"; then comes a raw header of at most 5 bytes.
constexpr std::size_t compress_header_bytes = 12;
constexpr std::size_t raw_header_bytes_max = 5;

std::size_t compressed_size(std::size_t data_bytes) {
  const std::size_t raw_header = data_bytes < 32 ? 1 : data_bytes <= UINT16_MAX ? 3 : 5;
  return compress_header_bytes + raw_header + data_bytes;
}

WireError error_of(const char* layer, WireFault fault, const char* field = "") {
  return {layer, field, fault, 0};
}

bool may_stand_in_a_datagram(MessageType type) {
  if (static_cast<std::uint8_t>(type) == sync_message_type) return true;
  switch (type) {
    case MessageType::ping:
    case MessageType::indirect_ping:
    case MessageType::ack:
    case MessageType::suspect:
    case MessageType::alive:
    case MessageType::dead:
    case MessageType::user:
    case MessageType::nack:
      return true;
    default:
      return false;
  }
}

}  // namespace

// What one datagram's unfolding carries along.
struct Peeler::Pass {
  std::span<Bytes> parts;
  std::size_t inflate_left;
  Result result;

  void fail(const WireError& fault) {
    if (result.faulty) return;
    result.faulty = true;
    result.fault = fault;
  }
  bool full() const { return result.parts == parts.size(); }
};

std::size_t Peeler::workspace_bytes(const EnvelopeLimits& limits) {
  return datagram_bytes_max + limits.inflated_bytes_max;
}

Peeler::Peeler(const EnvelopeLimits& limits, MutableBytes workspace)
    : limits_(limits), workspace_(workspace), per_packet_bytes_(workspace_bytes(limits)) {
  CHECK(limits.nesting_max <= nesting_allowed);
}

auto Peeler::peel(Bytes packet, const EnvelopePolicy& policy, Cipher& cipher,
                  std::span<Bytes> parts) -> Result {
  Pass pass{parts.first(std::min(parts.size(), limits_.parts_max)), limits_.inflated_bytes_max, {}};
  const auto unlabelled = strip_label(packet, policy.label);
  if (!unlabelled) {
    pass.fail(unlabelled.error());
    return pass.result;
  }
  Bytes message = *unlabelled;
  if (cipher.enabled()) {
    const auto opened =
        cipher.open(message, as_bytes(policy.label.label), workspace_.subspan(used_));
    if (opened) {
      message = *opened;
      used_ += opened->size();
    } else if (policy.verify_incoming || opened.error().fault == WireFault::no_space) {
      pass.fail(opened.error());
      return pass.result;
    }
  }
  const bool has_crc = message.size() >= crc_header_bytes &&
                       message[0] == static_cast<std::byte>(MessageType::has_crc);
  if (has_crc) {
    const auto checked = strip_crc(message);
    if (!checked) {
      pass.fail(checked.error());
      return pass.result;
    }
    message = *checked;
  }
  unfold(pass, message, 0);
  return pass.result;
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by nesting_max
void Peeler::unfold(Pass& pass, Bytes message, std::size_t depth) {
  if (message.empty()) return pass.fail(error_of("message", WireFault::truncated, "type"));
  const auto type = static_cast<MessageType>(message[0]);
  if (type == MessageType::compound || type == MessageType::compress) {
    if (depth == limits_.nesting_max) {
      return pass.fail(error_of("envelope", WireFault::too_deep));
    }
    const Bytes body = message.subspan(1);
    if (type == MessageType::compound) return unfold_compound(pass, body, depth + 1);
    return unfold_compressed(pass, body, depth + 1);
  }
  if (!may_stand_in_a_datagram(type)) {
    return pass.fail(error_of("message", WireFault::unsupported, "type"));
  }
  if (pass.full()) return pass.fail(error_of("envelope", WireFault::too_large, "parts"));
  pass.parts[pass.result.parts++] = message;
}

void Peeler::unfold_compound(Pass& pass, Bytes body, std::size_t depth) {
  auto reader = CompoundReader::open(body);
  if (!reader) return pass.fail(reader.error());
  Bytes part;
  while (reader->next(part)) {
    unfold(pass, part, depth);
    // Nothing more can come out: do not walk what nested compounds may multiply.
    if (pass.full() && pass.result.faulty) return;
  }
  if (reader->cut_short()) pass.fail(error_of("compound", WireFault::truncated, "part"));
}

void Peeler::unfold_compressed(Pass& pass, Bytes body, std::size_t depth) {
  Scratch scratch;
  const auto wrapper = decode_compressed(body, scratch);
  if (!wrapper) return pass.fail(wrapper.error());
  if (wrapper->algorithm != Compressed::lzw) {
    return pass.fail(error_of("compress", WireFault::unsupported, "Algo"));
  }
  const std::size_t space = workspace_.size() - used_;
  const auto size = lzw_decode(decoder_, wrapper->data,
                               workspace_.subspan(used_, std::min(space, pass.inflate_left)));
  if (!size) {
    if (size.error().fault != WireFault::too_large) return pass.fail(size.error());
    if (space < pass.inflate_left) return pass.fail(error_of("compress", WireFault::no_space));
    pass.inflate_left = 0;  // a datagram full of bombs costs one allowance, not one each
    return pass.fail(error_of("compress", WireFault::too_large, "Buf"));
  }
  const Bytes inflated = Bytes(workspace_).subspan(used_, *size);
  used_ += *size;
  pass.inflate_left -= *size;
  unfold(pass, inflated, depth);
}

std::size_t Wrapper::datagram(Bytes message, bool with_crc, const EnvelopePolicy& policy,
                              Cipher& cipher, const Nonce& nonce, MutableBytes out) {
  CHECK(!message.empty());
  Bytes compressed;
  if (policy.compress && message.size() > compressed_size(0)) {
    // Room for less than what would pay off, so that a hopeless encoding stops early.
    const std::size_t room = std::min(compressed_.size(), message.size() - compressed_size(0));
    const std::size_t size = lzw_encode(encoder_, message, MutableBytes(compressed_).first(room));
    if (size > 0 && compressed_size(size) < message.size()) {
      compressed = Bytes(compressed_).first(size);
    }
  }

  const std::string_view label = policy.label.label;
  const bool encrypt = cipher.enabled() && policy.verify_outgoing;
  const std::size_t outside = label_overhead(label) + (encrypt ? sealed_prefix_bytes : 0);
  const std::size_t crc_bytes = with_crc ? crc_header_bytes : 0;
  if (out.size() < outside + crc_bytes) return 0;
  Writer inner(out.subspan(outside + crc_bytes));
  if (compressed.empty()) {
    inner.put(message);
  } else {
    encode(Compressed{.data = compressed}, inner);
  }
  if (!inner.ok()) return 0;
  if (with_crc) fill_crc_header(out.subspan(outside).first<crc_header_bytes>(), inner.written());
  Writer front(out);
  encode_label(label, front);
  const std::size_t plain_bytes = crc_bytes + inner.size();
  if (!encrypt) return outside + plain_bytes;
  const std::size_t sealed =
      cipher.seal(policy.encryption_version, nonce, as_bytes(label),
                  out.subspan(outside, plain_bytes), out.subspan(front.size()));
  return sealed == 0 ? 0 : front.size() + sealed;
}

std::size_t Wrapper::stream(Bytes message, bool with_label, std::size_t compress_bytes_max,
                            const EnvelopePolicy& policy, Cipher& cipher, const Nonce& nonce,
                            MutableBytes scratch, MutableBytes out) {
  CHECK(!message.empty());
  Bytes compressed;
  if (policy.compress && message.size() <= compress_bytes_max) {
    const std::size_t size = lzw_encode(encoder_, message, scratch);
    if (size == 0) return 0;
    compressed = scratch.first(size);
  }

  const std::string_view label = policy.label.label;
  const bool encrypt = cipher.enabled() && policy.verify_outgoing;
  const std::size_t header_bytes = encrypt ? FrameHeader::size : 0;
  const std::size_t outside =
      (with_label ? label_overhead(label) : 0) + header_bytes + (encrypt ? sealed_prefix_bytes : 0);
  if (out.size() < outside) return 0;
  Writer inner(out.subspan(outside));
  if (compressed.empty()) {
    inner.put(message);
  } else {
    encode(Compressed{.data = compressed}, inner);
  }
  if (!inner.ok()) return 0;
  Writer front(out);
  if (with_label) encode_label(label, front);
  if (!encrypt) return outside + inner.size();

  const std::size_t sealed_bytes = Cipher::sealed_size(policy.encryption_version, inner.size());
  if (sealed_bytes > UINT32_MAX) return 0;
  const FrameHeader header(static_cast<std::uint32_t>(sealed_bytes), label);
  front.put(header.bytes());
  const std::size_t sealed = cipher.seal(policy.encryption_version, nonce, header.associated(),
                                         inner.written(), out.subspan(front.size()));
  return sealed == 0 ? 0 : front.size() + sealed;
}

std::size_t Wrapper::stream_bound(std::size_t message_bytes) {
  return 2 + label_bytes_max + FrameHeader::size + encrypt_overhead_v0_max + compress_header_bytes +
         raw_header_bytes_max + LzwEncoder::bound(message_bytes);
}

FrameHeader::FrameHeader(std::uint32_t sealed_bytes, std::string_view label) {
  Writer out(octets_);
  out.u8(static_cast<std::uint8_t>(MessageType::encrypt));
  out.u32(sealed_bytes);
  out.put(as_bytes(label));
  CHECK(out.ok());
  size_ = out.size();
}

}  // namespace starling
