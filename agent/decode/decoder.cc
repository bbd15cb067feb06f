#include "agent/decode/decoder.h"

#include "agent/decode/message_json.h"
#include "wire/envelope.h"

namespace starling::agent::decode {
namespace {

constexpr std::size_t datagram_bytes_max = 65'536;
constexpr std::size_t frame_bytes_max = 20u << 20;
constexpr std::size_t stream_inflated_bytes_max = 40u << 20;
constexpr std::size_t inflate_room_first = 4096;

std::string part_path(const std::string& outer, std::size_t index) {
  return outer.empty() ? std::to_string(index) : outer + "." + std::to_string(index);
}

// Without a key, ciphertext reads as a ping (version 0) or an indirect ping (version 1) that holds
// no map.
bool may_be_encrypted(Bytes packet) {
  return packet.size() >= encrypt_overhead_v1 && packet[0] <= std::byte{1} &&
         !starts_map(packet.subspan(1));
}

}  // namespace

// What one decoding carries along.
struct Decoder::Pass {
  explicit Pass(const char* transport, Bytes input, std::size_t inflated_bytes_max)
      : inflate_left(inflated_bytes_max),
        result{{"transport", transport},
               {"bytes", input.size()},
               {"layers", Json::array()},
               {"messages", Json::array()}} {}

  std::size_t inflate_left;
  std::size_t parts_left = EnvelopeLimits{}.parts_max;
  std::string label;
  std::vector<std::byte> plain;
  Json result;
  bool failed = false;

  bool fail(const WireError& fault, const std::string& part = {}) {
    if (failed) return false;
    failed = true;
    result["error"] = fault_value(fault);
    if (!part.empty()) result["error"]["part"] = part;
    return false;
  }
  void add_layer(Json layer, const std::string& part = {}) {
    if (!part.empty()) layer["part"] = part;
    result["layers"].push_back(std::move(layer));
  }
  // What a faulty message had before its fault is shown, too.
  bool add_message(DescribedMessage message, const std::string& part = {}) {
    if (!part.empty()) message.json["part"] = part;
    if (message.surplus_bytes > 0) result["surplus_bytes"] = message.surplus_bytes;
    if (message.fault) message.json["complete"] = false;
    if (!message.fault || message.json.contains("type")) {
      result["messages"].push_back(std::move(message.json));
    }
    return !message.fault || fail(*message.fault, part);
  }
};

Decoder::Decoder(Options options)
    : options_(std::move(options)), lzw_(std::make_unique<LzwDecoder>()) {
  for (const AesKey& key : options_.keys) {
    Keyring ring;
    static_cast<void>(ring.add(key));
    ciphers_.emplace_back(ring);
  }
}

// The accepting side of a stream answers without the header, but with the label authenticated.
bool Decoder::take_label(Pass& pass, Bytes& rest, bool required) const {
  pass.label = options_.label.value_or("");
  const bool present = !rest.empty() && rest[0] == std::byte{label_marker};
  if (!present) {
    if (!required || pass.label.empty()) return true;
    return pass.fail({"label", "", WireFault::mismatch, 0});
  }
  Reader in(rest, "label");
  in.skip(1);
  in.set_field("length");
  const std::size_t bytes = in.u8();
  if (in.ok() && bytes == 0) in.fail_at(WireFault::malformed, 1);
  in.set_field("");
  const std::string_view label = as_text(in.take(bytes));
  if (!in.ok()) return pass.fail(in.error());
  pass.add_layer(Json{{"layer", "label"}, {"label", text_value(label)}});
  if (options_.label && label != *options_.label) {
    return pass.fail({"label", "", WireFault::mismatch, 2});
  }
  pass.label = label;
  rest = in.rest();
  return true;
}

bool Decoder::open(Pass& pass, Bytes& rest, Bytes associated) {
  WireError fault{"encryption", "", WireFault::truncated, 0};
  if (rest.empty()) return pass.fail(fault);
  pass.plain.resize(rest.size());
  for (std::size_t i = 0; i < ciphers_.size(); ++i) {
    const auto opened = ciphers_[i].open(rest, associated, pass.plain);
    if (!opened) {
      fault = opened.error();
      continue;
    }
    pass.add_layer(
        Json{{"layer", "encryption"},
             {"version", std::to_integer<unsigned>(rest[0])},
             {"key", "#" + std::to_string(i + 1) + " of " + std::to_string(ciphers_.size())},
             {"plaintext_bytes", opened->size()}});
    rest = *opened;
    return true;
  }
  return pass.fail(fault);
}

bool Decoder::take_frame(Pass& pass, Bytes& rest) {
  const bool encrypted = !rest.empty() && rest[0] == static_cast<std::byte>(MessageType::encrypt);
  if (!encrypted) {
    if (ciphers_.empty()) return true;
    return pass.fail({"encryption", "", WireFault::no_key, 0});
  }
  Reader in(rest, "encryption");
  in.skip(1);
  in.set_field("length");
  const std::uint32_t bytes = in.u32();
  if (in.ok() && bytes > frame_bytes_max) in.fail_at(WireFault::too_large, 1);
  in.set_field("frame");
  Bytes sealed = in.take(bytes);
  if (!in.ok()) return pass.fail(in.error());
  if (ciphers_.empty()) {
    pass.fail({"encryption", "", WireFault::no_key, 0});
    pass.result["error"]["hint"] = "it is encrypted: give --key";
    return false;
  }
  const std::size_t surplus = in.left();
  const FrameHeader header(bytes, pass.label);
  if (!open(pass, sealed, header.associated())) return false;
  if (surplus > 0) pass.result["surplus_bytes"] = surplus;
  rest = sealed;
  return true;
}

bool Decoder::inflate(Pass& pass, Bytes body, const Place& place,
                      std::vector<std::byte>& inflated) {
  const auto fail = [&](WireFault fault, const char* field) {
    return pass.fail({"compress", field, fault, 0}, place.part);
  };
  Scratch scratch;
  const auto wrapper = decode_compressed(body, scratch);
  if (!wrapper) return pass.fail(wrapper.error(), place.part);
  if (wrapper->algorithm != Compressed::lzw) return fail(WireFault::unsupported, "Algo");

  lzw_->reset();
  Bytes input = wrapper->data;
  std::size_t size = 0;
  for (bool done = false; !done;) {
    // One byte more than permitted proves that there is too much.
    if (size == inflated.size()) {
      inflated.resize(std::min(std::max(2 * size, inflate_room_first), pass.inflate_left + 1));
    }
    const auto step = lzw_->decode(input, MutableBytes(inflated).subspan(size));
    if (!step) return fail(step.error().fault, "Buf");
    input = input.subspan(step->consumed);
    size += step->produced;
    done = step->done;
    if (size > pass.inflate_left) return fail(WireFault::too_large, "Buf");
    if (!done && input.empty() && !lzw_->needs_room()) return fail(WireFault::truncated, "Buf");
  }
  pass.inflate_left -= size;
  inflated.resize(size);
  pass.add_layer(Json{{"layer", "compress"}, {"algorithm", "lzw"}, {"inflated_bytes", size}},
                 place.part);
  return size > 0 || fail(WireFault::malformed, "Buf");
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by nesting_max
void Decoder::unfold(Pass& pass, Bytes message, const Place& place) {
  const bool wrapped =
      !message.empty() && (message[0] == static_cast<std::byte>(MessageType::compound) ||
                           message[0] == static_cast<std::byte>(MessageType::compress));
  if (pass.parts_left == 0) {
    pass.fail({"envelope", "parts", WireFault::too_large, 0}, place.part);
    return;
  }
  --pass.parts_left;
  if (!wrapped) {
    pass.add_message(datagram_message_json(message), place.part);
    return;
  }
  if (place.depth == EnvelopeLimits{}.nesting_max) {
    pass.fail({"envelope", "", WireFault::too_deep, 0}, place.part);
    return;
  }
  const Bytes body = message.subspan(1);
  if (message[0] == static_cast<std::byte>(MessageType::compound)) {
    return unfold_compound(pass, body, place);
  }
  std::vector<std::byte> inflated;
  if (inflate(pass, body, place, inflated)) {
    unfold(pass, inflated, {place.part, place.depth + 1});
  }
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by nesting_max
void Decoder::unfold_compound(Pass& pass, Bytes body, const Place& place) {
  auto parts = CompoundReader::open(body);
  if (!parts) {
    pass.fail(parts.error(), place.part);
    return;
  }
  pass.add_layer(Json{{"layer", "compound"}, {"parts", parts->announced()}}, place.part);
  Bytes part;
  for (std::size_t index = 0; !pass.failed && parts->next(part); ++index) {
    unfold(pass, part, {part_path(place.part, index), place.depth + 1});
  }
  if (parts->cut_short()) {
    pass.fail({"compound", "part", WireFault::truncated, static_cast<std::uint32_t>(body.size())},
              place.part);
  }
}

Json Decoder::datagram(Bytes packet) {
  Pass pass("udp", packet, EnvelopeLimits{}.inflated_bytes_max);
  if (packet.size() > datagram_bytes_max) pass.fail({"datagram", "", WireFault::too_large, 0});
  if (packet.empty()) pass.fail({"datagram", "", WireFault::truncated, 0});
  Bytes rest = packet;
  if (pass.failed || !take_label(pass, rest, true)) return std::move(pass.result);
  if (!ciphers_.empty() && !open(pass, rest, as_bytes(pass.label))) return std::move(pass.result);

  if (!rest.empty() && rest[0] == static_cast<std::byte>(MessageType::has_crc)) {
    const auto inner = strip_crc(rest);
    if (rest.size() >= crc_header_bytes) {
      pass.add_layer(
          Json{{"layer", "crc"}, {"value", to_hex(rest.subspan(1, 4))}, {"ok", inner.has_value()}});
    }
    if (!inner) {
      pass.fail(inner.error());
      return std::move(pass.result);
    }
    rest = *inner;
  }
  unfold(pass, rest, {});
  if (pass.failed && ciphers_.empty() && may_be_encrypted(rest)) {
    pass.result["error"]["hint"] = "it may be encrypted: give --key";
  }
  return std::move(pass.result);
}

Json Decoder::stream(Bytes bytes) {
  Pass pass("tcp", bytes, stream_inflated_bytes_max);
  if (bytes.size() > stream_bytes_max) pass.fail({"stream", "", WireFault::too_large, 0});
  if (bytes.empty()) pass.fail({"stream", "", WireFault::truncated, 0});
  Bytes rest = bytes;
  if (pass.failed || !take_label(pass, rest, false) || !take_frame(pass, rest)) {
    return std::move(pass.result);
  }
  std::vector<std::byte> inflated;
  if (!rest.empty() && rest[0] == static_cast<std::byte>(MessageType::compress)) {
    if (!inflate(pass, rest.subspan(1), {}, inflated)) return std::move(pass.result);
    rest = inflated;
  }
  pass.add_message(stream_message_json(rest));
  return std::move(pass.result);
}

bool is_bad(const Json& decoded) {
  return decoded.contains("error");
}

std::string fault_text(const Json& decoded) {
  const Json& fault = decoded.at("error");
  std::string text = fault.at("layer");
  if (const std::string field = fault.at("field"); !field.empty()) text += ": " + field;
  text += ": " + fault.at("fault").get<std::string>() + " at byte " +
          std::to_string(fault.at("offset").get<std::size_t>());
  if (fault.contains("part")) text += " of part " + fault.at("part").get<std::string>();
  if (fault.contains("hint")) text += " (" + fault.at("hint").get<std::string>() + ")";
  return text;
}

std::string to_text(const Json& decoded, int indent) {
  return decoded.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace starling::agent::decode
