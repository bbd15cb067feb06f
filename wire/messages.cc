#include "wire/messages.h"

#include "wire/canonical.h"
#include "wire/msgpack.h"

namespace starling {
namespace {

// Field names in the order in which Go declares them, for the array form. The cases of the switches
// below are positions in these tables.
constexpr std::array<std::string_view, 6> ping_keys{"SeqNo",      "Node",       "SourceAddr",
                                                    "SourcePort", "SourceNode", "~"};
constexpr std::array<std::string_view, 8> indirect_ping_keys{
    "SeqNo", "Target", "Port", "Node", "Nack", "SourceAddr", "SourcePort", "SourceNode"};
constexpr std::array<std::string_view, 3> ack_keys{"SeqNo", "Payload", "~"};
constexpr std::array<std::string_view, 1> nack_keys{"SeqNo"};
constexpr std::array<std::string_view, 1> error_keys{"Error"};
constexpr std::array<std::string_view, 3> accusation_keys{"Incarnation", "Node", "From"};
constexpr std::array<std::string_view, 6> alive_keys{"Incarnation", "Node", "Addr",
                                                     "Port",        "Meta", "Vsn"};
constexpr std::array<std::string_view, 2> compressed_keys{"Algo", "Buf"};

SequenceNumber read_sequence(Reader& in) {
  return SequenceNumber{msgpack::read_u32(in)};
}
Incarnation read_incarnation(Reader& in) {
  return Incarnation{msgpack::read_u32(in)};
}

// The layouts that Go writes. The rest, and what is wrong, is for the lenient readers below.
bool read_canonical(Bytes body, Ping& ping) {
  CanonicalReader in(body);
  std::uint32_t sequence = 0;
  const bool with_standing = in.map(6);
  const bool read = (with_standing || in.map(5)) && in.key("Node") && in.text(ping.node) &&
                    in.key("SeqNo") && in.u32(sequence) && in.key("SourceAddr") &&
                    in.bytes(ping.source.address) && in.key("SourceNode") &&
                    in.text(ping.source.node) && in.key("SourcePort") && in.u16(ping.source.port) &&
                    (!with_standing || (in.key("~") && in.bytes(ping.standing)));
  ping.sequence = SequenceNumber{sequence};
  return read;
}

bool read_canonical(Bytes body, Ack& ack) {
  CanonicalReader in(body);
  std::uint32_t sequence = 0;
  const bool with_standing = in.map(3);
  const bool read = (with_standing || in.map(2)) && in.key("Payload") && in.bytes(ack.payload) &&
                    in.key("SeqNo") && in.u32(sequence) &&
                    (!with_standing || (in.key("~") && in.bytes(ack.standing)));
  ack.sequence = SequenceNumber{sequence};
  return read;
}

template <class Accusation>
bool read_canonical(Bytes body, Accusation& message) {
  CanonicalReader in(body);
  std::uint32_t incarnation = 0;
  const bool read = in.map(3) && in.key("From") && in.text(message.from) && in.key("Incarnation") &&
                    in.u32(incarnation) && in.key("Node") && in.text(message.node);
  message.incarnation = Incarnation{incarnation};
  return read;
}

bool read_canonical(Bytes body, Alive& alive) {
  CanonicalReader in(body);
  std::uint32_t incarnation = 0;
  const bool read = in.map(6) && in.key("Addr") && in.bytes(alive.address) &&
                    in.key("Incarnation") && in.u32(incarnation) && in.key("Meta") &&
                    in.bytes(alive.meta) && in.key("Node") && in.text(alive.node) &&
                    in.key("Port") && in.u16(alive.port) && in.key("Vsn") &&
                    in.bytes(alive.versions);
  alive.incarnation = Incarnation{incarnation};
  return read;
}

// Suspect and Dead have the same fields.
template <class Accusation>
Decoded<Accusation> decode_accusation(Bytes body, Scratch& scratch, const char* layer) {
  if (Accusation message; read_canonical(body, message)) return message;
  Reader in(body, layer);
  Accusation message;
  msgpack::read_struct<accusation_keys>(in, [&](std::size_t field) {
    switch (field) {
      case 0:
        message.incarnation = read_incarnation(in);
        break;
      case 1:
        message.node = msgpack::read_text(in, scratch);
        break;
      default:
        message.from = msgpack::read_text(in, scratch);
        break;
    }
  });
  if (!in.ok()) return std::unexpected(in.error());
  return message;
}

template <class Accusation>
void encode_accusation(MessageType type, const Accusation& message, Writer& out) {
  out.u8(static_cast<std::uint8_t>(type));
  msgpack::write_map_header(out, 3);
  msgpack::write_key(out, "From");
  msgpack::write_text(out, message.from);
  msgpack::write_key(out, "Incarnation");
  msgpack::write_unsigned(out, to_number(message.incarnation));
  msgpack::write_key(out, "Node");
  msgpack::write_text(out, message.node);
}

void begin(MessageType type, std::size_t pairs, Writer& out) {
  out.u8(static_cast<std::uint8_t>(type));
  msgpack::write_map_header(out, pairs);
}

void write_sequence(SequenceNumber sequence, Writer& out) {
  msgpack::write_key(out, "SeqNo");
  msgpack::write_unsigned(out, to_number(sequence));
}

std::size_t present(const Source& source) {
  return std::size_t{!source.address.empty()} + std::size_t{source.port != 0} +
         std::size_t{!source.node.empty()};
}

std::size_t present(Bytes standing) {
  return standing.empty() ? 0 : 1;
}
// Last, behind all of Go's keys.
void write_standing_key(Bytes standing, Writer& out) {
  if (standing.empty()) return;
  msgpack::write_key(out, "~");
  msgpack::write_bytes(out, standing);
}
void write_source(const Source& source, Writer& out) {
  if (!source.address.empty()) {
    msgpack::write_key(out, "SourceAddr");
    msgpack::write_bytes(out, source.address);
  }
  if (!source.node.empty()) {
    msgpack::write_key(out, "SourceNode");
    msgpack::write_text(out, source.node);
  }
  if (source.port != 0) {
    msgpack::write_key(out, "SourcePort");
    msgpack::write_unsigned(out, source.port);
  }
}

}  // namespace

std::string_view to_text(MessageType type) {
  switch (type) {
    case MessageType::ping:
      return "ping";
    case MessageType::indirect_ping:
      return "indirect ping";
    case MessageType::ack:
      return "ack";
    case MessageType::suspect:
      return "suspect";
    case MessageType::alive:
      return "alive";
    case MessageType::dead:
      return "dead";
    case MessageType::push_pull:
      return "push/pull";
    case MessageType::compound:
      return "compound";
    case MessageType::user:
      return "user";
    case MessageType::compress:
      return "compress";
    case MessageType::encrypt:
      return "encrypt";
    case MessageType::nack:
      return "nack";
    case MessageType::has_crc:
      return "crc";
    case MessageType::error:
      return "error";
  }
  return "unknown";  // the byte may come straight from the wire
}

Decoded<Ping> decode_ping(Bytes body, Scratch& scratch) {
  if (Ping message; read_canonical(body, message)) return message;
  Reader in(body, "ping");
  Ping message;
  msgpack::read_struct<ping_keys>(in, [&](std::size_t field) {
    switch (field) {
      case 0:
        message.sequence = read_sequence(in);
        break;
      case 1:
        message.node = msgpack::read_text(in, scratch);
        break;
      case 2:
        message.source.address = msgpack::read_bytes(in, scratch);
        break;
      case 3:
        message.source.port = msgpack::read_u16(in);
        break;
      case 4:
        message.source.node = msgpack::read_text(in, scratch);
        break;
      default:
        message.standing = msgpack::read_bytes(in, scratch);
        break;
    }
  });
  if (!in.ok()) return std::unexpected(in.error());
  return message;
}

Decoded<IndirectPing> decode_indirect_ping(Bytes body, Scratch& scratch) {
  Reader in(body, "indirect ping");
  IndirectPing message;
  msgpack::read_struct<indirect_ping_keys>(in, [&](std::size_t field) {
    switch (field) {
      case 0:
        message.sequence = read_sequence(in);
        break;
      case 1:
        message.target = msgpack::read_bytes(in, scratch);
        break;
      case 2:
        message.port = msgpack::read_u16(in);
        break;
      case 3:
        message.node = msgpack::read_text(in, scratch);
        break;
      case 4:
        message.nack = msgpack::read_bool(in);
        break;
      case 5:
        message.source.address = msgpack::read_bytes(in, scratch);
        break;
      case 6:
        message.source.port = msgpack::read_u16(in);
        break;
      default:
        message.source.node = msgpack::read_text(in, scratch);
        break;
    }
  });
  if (!in.ok()) return std::unexpected(in.error());
  return message;
}

Decoded<Ack> decode_ack(Bytes body, Scratch& scratch) {
  if (Ack message; read_canonical(body, message)) return message;
  Reader in(body, "ack");
  Ack message;
  msgpack::read_struct<ack_keys>(in, [&](std::size_t field) {
    if (field == 0) {
      message.sequence = read_sequence(in);
    } else if (field == 1) {
      message.payload = msgpack::read_bytes(in, scratch);
    } else {
      message.standing = msgpack::read_bytes(in, scratch);
    }
  });
  if (!in.ok()) return std::unexpected(in.error());
  return message;
}

Decoded<Nack> decode_nack(Bytes body) {
  Reader in(body, "nack");
  Nack message;
  msgpack::read_struct<nack_keys>(in, [&](std::size_t) { message.sequence = read_sequence(in); });
  if (!in.ok()) return std::unexpected(in.error());
  return message;
}

Decoded<Suspect> decode_suspect(Bytes body, Scratch& scratch) {
  return decode_accusation<Suspect>(body, scratch, "suspect");
}

Decoded<Dead> decode_dead(Bytes body, Scratch& scratch) {
  return decode_accusation<Dead>(body, scratch, "dead");
}

std::string_view peek_node(Bytes message) {
  if (message.empty()) return {};
  const Bytes body = message.subspan(1);
  switch (static_cast<MessageType>(message.front())) {
    case MessageType::alive: {
      CanonicalReader in(body);
      Alive alive;
      std::uint32_t incarnation = 0;
      const bool read = in.map(6) && in.key("Addr") && in.bytes(alive.address) &&
                        in.key("Incarnation") && in.u32(incarnation) && in.key("Meta") &&
                        in.bytes(alive.meta) && in.key("Node") && in.text(alive.node);
      return read ? alive.node : std::string_view{};
    }
    case MessageType::suspect:
    case MessageType::dead: {
      Suspect suspect;
      return read_canonical(body, suspect) ? suspect.node : std::string_view{};
    }
    default:
      return {};
  }
}

Decoded<Alive> decode_alive(Bytes body, Scratch& scratch) {
  if (Alive message; read_canonical(body, message)) return message;
  Reader in(body, "alive");
  Alive message;
  msgpack::read_struct<alive_keys>(in, [&](std::size_t field) {
    switch (field) {
      case 0:
        message.incarnation = read_incarnation(in);
        break;
      case 1:
        message.node = msgpack::read_text(in, scratch);
        break;
      case 2:
        message.address = msgpack::read_bytes(in, scratch);
        break;
      case 3:
        message.port = msgpack::read_u16(in);
        break;
      case 4:
        message.meta = msgpack::read_bytes(in, scratch);
        break;
      default:
        message.versions = msgpack::read_bytes(in, scratch);
        break;
    }
  });
  if (!in.ok()) return std::unexpected(in.error());
  return message;
}

Decoded<ErrorMessage> decode_error(Bytes body, Scratch& scratch) {
  Reader in(body, "error");
  ErrorMessage message;
  msgpack::read_struct<error_keys>(
      in, [&](std::size_t) { message.text = msgpack::read_text(in, scratch); });
  if (!in.ok()) return std::unexpected(in.error());
  return message;
}

Decoded<Compressed> decode_compressed(Bytes body, Scratch& scratch) {
  Reader in(body, "compress");
  Compressed message;
  msgpack::read_struct<compressed_keys>(in, [&](std::size_t field) {
    if (field == 0) {
      message.algorithm = msgpack::read_u8(in);
    } else {
      message.data = msgpack::read_bytes(in, scratch);
    }
  });
  if (!in.ok()) return std::unexpected(in.error());
  return message;
}

void encode(const Ping& message, Writer& out) {
  begin(MessageType::ping, 2 + present(message.source) + present(message.standing), out);
  msgpack::write_key(out, "Node");
  msgpack::write_text(out, message.node);
  write_sequence(message.sequence, out);
  write_source(message.source, out);
  write_standing_key(message.standing, out);
}

void encode(const IndirectPing& message, Writer& out) {
  begin(MessageType::indirect_ping, 5 + present(message.source), out);
  msgpack::write_key(out, "Nack");
  msgpack::write_bool(out, message.nack);
  msgpack::write_key(out, "Node");
  msgpack::write_text(out, message.node);
  msgpack::write_key(out, "Port");
  msgpack::write_unsigned(out, message.port);
  write_sequence(message.sequence, out);
  write_source(message.source, out);
  msgpack::write_key(out, "Target");
  msgpack::write_bytes(out, message.target);
}

void encode(const Ack& message, Writer& out) {
  begin(MessageType::ack, 2 + present(message.standing), out);
  msgpack::write_key(out, "Payload");
  msgpack::write_bytes(out, message.payload);
  write_sequence(message.sequence, out);
  write_standing_key(message.standing, out);
}

void encode(const Nack& message, Writer& out) {
  begin(MessageType::nack, 1, out);
  write_sequence(message.sequence, out);
}

void encode(const Suspect& message, Writer& out) {
  encode_accusation(MessageType::suspect, message, out);
}

void encode(const Dead& message, Writer& out) {
  encode_accusation(MessageType::dead, message, out);
}

void encode(const Alive& message, Writer& out) {
  begin(MessageType::alive, 6, out);
  msgpack::write_key(out, "Addr");
  msgpack::write_bytes(out, message.address);
  msgpack::write_key(out, "Incarnation");
  msgpack::write_unsigned(out, to_number(message.incarnation));
  msgpack::write_key(out, "Meta");
  msgpack::write_bytes(out, message.meta);
  msgpack::write_key(out, "Node");
  msgpack::write_text(out, message.node);
  msgpack::write_key(out, "Port");
  msgpack::write_unsigned(out, message.port);
  msgpack::write_key(out, "Vsn");
  msgpack::write_bytes(out, message.versions);
}

void encode(const ErrorMessage& message, Writer& out) {
  begin(MessageType::error, 1, out);
  msgpack::write_key(out, "Error");
  msgpack::write_text(out, message.text);
}

void encode(const Compressed& message, Writer& out) {
  begin(MessageType::compress, 2, out);
  msgpack::write_key(out, "Algo");
  msgpack::write_unsigned(out, message.algorithm);
  msgpack::write_key(out, "Buf");
  msgpack::write_bytes(out, message.data);
}

std::optional<Versions> decode_versions(Bytes vsn) {
  if (vsn.size() < 6) return std::nullopt;
  const auto number = [vsn](std::size_t i) { return std::to_integer<std::uint8_t>(vsn[i]); };
  return Versions{.protocol_min = number(0),
                  .protocol_max = number(1),
                  .protocol_current = number(2),
                  .delegate_min = number(3),
                  .delegate_max = number(4),
                  .delegate_current = number(5)};
}

std::array<std::byte, 6> encode_versions(const Versions& versions) {
  return {std::byte{versions.protocol_min},     std::byte{versions.protocol_max},
          std::byte{versions.protocol_current}, std::byte{versions.delegate_min},
          std::byte{versions.delegate_max},     std::byte{versions.delegate_current}};
}

}  // namespace starling
