#include "tests/support/message_json.h"

#include <memory>
#include <sstream>

#include "wire/compound.h"
#include "wire/lzw.h"
#include "wire/messages.h"

namespace starling::test {
namespace {

using nlohmann::json;

constexpr std::size_t inflated_bytes_max = 16 << 20;

json fault(const WireError& error) {
  return {{"fault", std::string(error.layer) + " " + error.field + " at " +
                        std::to_string(error.offset) + ": " + std::string(to_text(error.fault))}};
}

std::string text(std::string_view view) {
  return std::string(view);
}

void add_source(json& described, const Source& source) {
  described["SourceAddr"] = to_hex(source.address);
  described["SourcePort"] = source.port;
  described["SourceNode"] = text(source.node);
}

json describe(const Ping& message) {
  json described{
      {"type", "ping"}, {"SeqNo", to_number(message.sequence)}, {"Node", text(message.node)}};
  add_source(described, message.source);
  return described;
}

json describe(const IndirectPing& message) {
  json described{{"type", "indirectPing"},           {"SeqNo", to_number(message.sequence)},
                 {"Target", to_hex(message.target)}, {"Port", message.port},
                 {"Node", text(message.node)},       {"Nack", message.nack}};
  add_source(described, message.source);
  return described;
}

json describe(const Ack& message) {
  return {{"type", "ackResp"},
          {"SeqNo", to_number(message.sequence)},
          {"Payload", to_hex(message.payload)}};
}

json describe(const Nack& message) {
  return {{"type", "nackResp"}, {"SeqNo", to_number(message.sequence)}};
}

json describe(const Suspect& message) {
  return {{"type", "suspect"},
          {"Incarnation", to_number(message.incarnation)},
          {"Node", text(message.node)},
          {"From", text(message.from)}};
}

json describe(const Dead& message) {
  return {{"type", "dead"},
          {"Incarnation", to_number(message.incarnation)},
          {"Node", text(message.node)},
          {"From", text(message.from)}};
}

json describe(const Alive& message) {
  return {{"type", "alive"},
          {"Incarnation", to_number(message.incarnation)},
          {"Node", text(message.node)},
          {"Addr", to_hex(message.address)},
          {"Port", message.port},
          {"Meta", to_hex(message.meta)},
          {"Vsn", to_hex(message.versions)}};
}

json describe(const ErrorMessage& message) {
  return {{"type", "err"}, {"Error", text(message.text)}};
}

json describe(const NodeState& node) {
  return {{"Name", text(node.name)},
          {"Addr", to_hex(node.address)},
          {"Port", node.port},
          {"Meta", to_hex(node.meta)},
          {"Incarnation", to_number(node.incarnation)},
          {"State", node.state},
          {"Vsn", to_hex(node.versions)}};
}

template <class Message>
json describe(const Decoded<Message>& message) {
  return message ? describe(*message) : fault(message.error());
}

// Collects a push/pull as JSON and encodes it again on the way.
struct PushPullCollector {
  SignedStyle style = SignedStyle::signed_form;
  json described{{"type", "pushPull"}, {"nodes", json::array()}};
  ByteVector user_state;
  ByteVector encoded;

  template <class Part, class... Style>
  bool append(const Part& part, Style... signed_style) {
    std::array<std::byte, 70'000> room;
    Writer out(room);
    encode(part, out, signed_style...);
    encoded.insert(encoded.end(), out.written().begin(), out.written().end());
    return out.ok();
  }
  bool on_header(const PushPullHeader& header) {
    described["header"] = {
        {"Join", header.join}, {"Nodes", header.nodes}, {"UserStateLen", header.user_state_bytes}};
    return append(header, style);
  }
  bool on_node(const NodeState& node) {
    described["nodes"].push_back(describe(node));
    return append(node);
  }
  bool on_user_state(Bytes part) {
    user_state.insert(user_state.end(), part.begin(), part.end());
    encoded.insert(encoded.end(), part.begin(), part.end());
    return true;
  }
};

PushPullCollector collect_push_pull(Bytes body, SignedStyle style) {
  PushPullCollector collector;
  collector.style = style;
  ByteVector carry(65'536);
  PushPullReader reader({}, carry);
  const auto progress = reader.feed(body, collector);
  if (!progress) {
    collector.described = fault(progress.error());
  } else if (*progress != PushPullReader::Progress::done) {
    collector.described = {{"fault", "push/pull not complete"}};
  } else {
    collector.described["user_state_hex"] = to_hex(collector.user_state);
  }
  return collector;
}

json describe_stream_user(Bytes body) {
  std::size_t used = 0;
  const auto header = decode_user_header(body, used);
  if (!header) return fault(header.error());
  if (header->bytes < 0 || static_cast<std::uint64_t>(header->bytes) > body.size() - used) {
    return {{"fault", "user message not complete"}};
  }
  const Bytes payload = body.subspan(used, static_cast<std::size_t>(header->bytes));
  return {{"type", "user"},
          {"header", {{"UserMsgLen", header->bytes}}},
          {"payload_hex", to_hex(payload)}};
}

json describe_compound(Bytes body, Carrier carrier) {
  auto parts = CompoundReader::open(body);
  if (!parts) return fault(parts.error());
  json described{{"type", "compound"},
                 {"count", parts->announced()},
                 {"lengths", json::array()},
                 {"parts", json::array()}};
  Bytes part;
  while (parts->next(part)) {
    described["lengths"].push_back(part.size());
    described["parts"].push_back(describe(part, carrier));
  }
  if (parts->cut_short()) described["fault"] = "compound cut short";
  return described;
}

json describe_compress(Bytes message, Carrier carrier) {
  Scratch scratch;
  const auto wrapper = decode_compressed(message.subspan(1), scratch);
  if (!wrapper) return fault(wrapper.error());
  return {{"type", "compress"},
          {"Algo", wrapper->algorithm},
          {"compressed_len", wrapper->data.size()},
          {"inner", describe(inflate(message), carrier)}};
}

// "bytes4:10.0.0.1", "bytes16:00..", "0a0b", {"hex": "0a0b"}, [1, 5], null.
std::string canonical_bytes(const json& recorded) {
  if (recorded.is_null()) return "";
  if (recorded.is_object()) return recorded.at("hex");
  ByteVector bytes;
  if (recorded.is_array()) {
    for (const json& number : recorded) bytes.push_back(std::byte{number.get<std::uint8_t>()});
    return to_hex(bytes);
  }
  const std::string value = recorded;
  if (value.starts_with("bytes16:")) return value.substr(8);
  if (!value.starts_with("bytes4:")) return value;
  std::istringstream octets(value.substr(7));
  for (std::string octet; std::getline(octets, octet, '.');) {
    bytes.push_back(static_cast<std::byte>(std::stoul(octet)));
  }
  return to_hex(bytes);
}

bool is_bytes(const std::string& key) {
  return key == "Addr" || key == "Meta" || key == "Vsn" || key == "Payload" || key == "Target" ||
         key == "SourceAddr";
}

void copy_fields(const json& recorded, json& fields) {
  for (const auto& [key, value] : recorded.items()) {
    fields[key] = is_bytes(key) ? json(canonical_bytes(value)) : value;
  }
}

// Every field of the message type with its zero value.
json zero_fields(const std::string& type) {
  Scratch scratch;
  const Bytes nothing = as_bytes("\xc0");
  if (type == "ping") return describe(decode_ping(nothing, scratch));
  if (type == "indirectPing") return describe(decode_indirect_ping(nothing, scratch));
  if (type == "ackResp") return describe(decode_ack(nothing, scratch));
  if (type == "nackResp") return describe(decode_nack(nothing));
  if (type == "suspect") return describe(decode_suspect(nothing, scratch));
  if (type == "dead") return describe(decode_dead(nothing, scratch));
  if (type == "alive") return describe(decode_alive(nothing, scratch));
  if (type == "err") return describe(decode_error(nothing, scratch));
  return {{"type", type}};
}

template <class Message>
ByteVector encode_one(const Decoded<Message>& message) {
  if (!message) return {};
  ByteVector room(70'000);
  Writer out(room);
  encode(*message, out);
  return to_vector(out.written());
}

ByteVector encode_compound_again(Bytes body, Carrier carrier, SignedStyle style) {
  auto parts = CompoundReader::open(body);
  if (!parts) return {};
  ByteVector room(70'000);
  CompoundBuilder builder(room);
  Bytes part;
  while (parts->next(part)) {
    if (!builder.add(encode_again(part, carrier, style))) return {};
  }
  return to_vector(builder.finish());
}

}  // namespace

json describe(Bytes message, Carrier carrier) {
  if (message.empty()) return {{"fault", "empty message"}};
  const auto type = static_cast<MessageType>(message[0]);
  const Bytes body = message.subspan(1);
  Scratch scratch;
  switch (type) {
    case MessageType::ping:
      return describe(decode_ping(body, scratch));
    case MessageType::indirect_ping:
      return describe(decode_indirect_ping(body, scratch));
    case MessageType::ack:
      return describe(decode_ack(body, scratch));
    case MessageType::nack:
      return describe(decode_nack(body));
    case MessageType::suspect:
      return describe(decode_suspect(body, scratch));
    case MessageType::alive:
      return describe(decode_alive(body, scratch));
    case MessageType::dead:
      return describe(decode_dead(body, scratch));
    case MessageType::error:
      return describe(decode_error(body, scratch));
    case MessageType::compound:
      return describe_compound(body, carrier);
    case MessageType::compress:
      return describe_compress(message, carrier);
    case MessageType::user:
      if (carrier == Carrier::stream) return describe_stream_user(body);
      return {{"type", "user"}, {"payload_hex", to_hex(body)}};
    case MessageType::push_pull:
      if (carrier == Carrier::stream) {
        return collect_push_pull(body, SignedStyle::signed_form).described;
      }
      break;
    case MessageType::encrypt:
    case MessageType::has_crc:
      break;
  }
  return {{"fault", "unsupported type " + std::to_string(static_cast<unsigned>(type))}};
}

json canonical(const json& recorded) {
  const std::string type = recorded.at("type");
  json fields = zero_fields(type);
  for (const auto& [key, value] : recorded.items()) {
    if (key == "body") {
      copy_fields(value, fields);
    } else if (key == "inner") {
      fields[key] = canonical(value);
    } else if (key == "parts") {
      fields[key] = json::array();
      for (const json& part : value) fields[key].push_back(canonical(part));
    } else if (key == "nodes") {
      fields[key] = json::array();
      for (const json& node : value) {
        json node_fields;
        copy_fields(node, node_fields);
        fields[key].push_back(node_fields);
      }
    } else {
      copy_fields({{key, value}}, fields);
    }
  }
  return fields;
}

bool faulty(const json& described) {
  if (described.is_object() && described.contains("fault")) return true;
  return described.is_structured() && std::any_of(described.begin(), described.end(), faulty);
}

ByteVector encode_again(Bytes message, Carrier carrier, SignedStyle style) {
  if (message.empty()) return {};
  const Bytes body = message.subspan(1);
  Scratch scratch;
  switch (static_cast<MessageType>(message[0])) {
    case MessageType::ping:
      return encode_one(decode_ping(body, scratch));
    case MessageType::indirect_ping:
      return encode_one(decode_indirect_ping(body, scratch));
    case MessageType::ack:
      return encode_one(decode_ack(body, scratch));
    case MessageType::nack:
      return encode_one(decode_nack(body));
    case MessageType::suspect:
      return encode_one(decode_suspect(body, scratch));
    case MessageType::alive:
      return encode_one(decode_alive(body, scratch));
    case MessageType::dead:
      return encode_one(decode_dead(body, scratch));
    case MessageType::error:
      return encode_one(decode_error(body, scratch));
    case MessageType::compound:
      return encode_compound_again(body, carrier, style);
    case MessageType::compress:
      return deflate(encode_again(inflate(message), carrier, style));
    case MessageType::user: {
      if (carrier == Carrier::datagram) return to_vector(message);
      std::size_t used = 0;
      const auto header = decode_user_header(body, used);
      if (!header) return {};
      ByteVector room(32);
      Writer out(room);
      encode(*header, out, style);
      ByteVector encoded = to_vector(out.written());
      encoded.insert(encoded.end(), body.begin() + static_cast<std::ptrdiff_t>(used), body.end());
      return encoded;
    }
    case MessageType::push_pull:
      if (carrier == Carrier::stream) return collect_push_pull(body, style).encoded;
      break;
    case MessageType::encrypt:
    case MessageType::has_crc:
      break;
  }
  return {};
}

ByteVector inflate(Bytes message) {
  Scratch scratch;
  const auto wrapper = decode_compressed(message.subspan(1), scratch);
  if (!wrapper || wrapper->algorithm != Compressed::lzw) return {};
  static const auto decoder = std::make_unique<LzwDecoder>();
  ByteVector room(4096);
  for (;;) {
    const auto size = lzw_decode(*decoder, wrapper->data, room);
    if (size) {
      room.resize(*size);
      return room;
    }
    if (size.error().fault != WireFault::too_large || room.size() > inflated_bytes_max) return {};
    room.resize(2 * room.size());
  }
}

ByteVector deflate(Bytes inner) {
  static const auto encoder = std::make_unique<LzwEncoder>();
  ByteVector stream(LzwEncoder::bound(inner.size()));
  stream.resize(lzw_encode(*encoder, inner, stream));
  ByteVector room(stream.size() + 32);
  Writer out(room);
  encode(Compressed{.algorithm = Compressed::lzw, .data = stream}, out);
  return to_vector(out.written());
}

}  // namespace starling::test
