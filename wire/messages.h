// memberlist's messages as views: ping, indirect ping, ack, nack, suspect, alive, dead, error.
//
// Bodies are msgpack maps (protocol/memberlist, sections 3 and 6). Decoding gives views into the
// input and allocates nothing; a view lives as long as the bytes it was decoded from. Encoding
// writes the type byte and then exactly what Go's encoder writes: keys sorted, raw strings, the
// smallest unsigned integers, optional fields left out when zero.
//
// Go peers also accept a field of bytes or text sent as an array of small integers. Such a field is
// not a contiguous view, so the decoder copies it into `Scratch`, which must live as long as the
// result.
#pragma once

#include <optional>
#include <string_view>

#include "wire/base/bytes.h"
#include "wire/base/scratch.h"
#include "wire/base/types.h"

namespace starling {

// The first byte of every message. Only append: the numbers are the protocol.
enum class MessageType : std::uint8_t {
  ping = 0,
  indirect_ping = 1,
  ack = 2,
  suspect = 3,
  alive = 4,
  dead = 5,
  push_pull = 6,
  compound = 7,
  user = 8,
  compress = 9,
  encrypt = 10,
  nack = 11,
  has_crc = 12,
  error = 13,
};
inline constexpr std::uint8_t label_marker = 244;
std::string_view to_text(MessageType type);

// Where an answer should go, as pings and indirect pings state it; all optional on the wire.
struct Source {
  Bytes address;  // 4 or 16 bytes, or empty
  std::uint16_t port = 0;
  std::string_view node;
};

struct Ping {
  SequenceNumber sequence{};
  std::string_view node;  // the intended receiver; empty: anybody
  Source source;
  Bytes standing = {};  // see wire/standing.h; empty from Go peers
};

struct IndirectPing {
  SequenceNumber sequence{};
  Bytes target;
  std::uint16_t port = 0;
  std::string_view node;
  bool nack = false;
  Source source;
};

struct Ack {
  SequenceNumber sequence{};
  Bytes payload;        // empty is written as nil
  Bytes standing = {};  // as in a ping
};

struct Nack {
  SequenceNumber sequence{};
};

struct Suspect {
  Incarnation incarnation{};
  std::string_view node;
  std::string_view from;
};

// from == node means the member left on purpose.
struct Dead {
  Incarnation incarnation{};
  std::string_view node;
  std::string_view from;
};

struct Alive {
  Incarnation incarnation{};
  std::string_view node;
  Bytes address;
  std::uint16_t port = 0;
  Bytes meta;
  Bytes versions;  // six bytes from sane senders; see decode_versions
};

struct ErrorMessage {
  std::string_view text;
};

// The compress wrapper (section 4.2). `data` is an LZW stream when `algorithm` is lzw.
struct Compressed {
  static constexpr std::uint8_t lzw = 0;
  std::uint8_t algorithm = lzw;
  Bytes data;
};

// Each decoder expects the bytes after the type byte. Bytes after the body are ignored, as Go does.
Decoded<Ping> decode_ping(Bytes body, Scratch& scratch);
Decoded<IndirectPing> decode_indirect_ping(Bytes body, Scratch& scratch);
Decoded<Ack> decode_ack(Bytes body, Scratch& scratch);
Decoded<Nack> decode_nack(Bytes body);
Decoded<Suspect> decode_suspect(Bytes body, Scratch& scratch);
Decoded<Alive> decode_alive(Bytes body, Scratch& scratch);
Decoded<Dead> decode_dead(Bytes body, Scratch& scratch);
Decoded<ErrorMessage> decode_error(Bytes body, Scratch& scratch);
Decoded<Compressed> decode_compressed(Bytes body, Scratch& scratch);

// The member that an alive, suspect or dead message (type byte first) is about, if the message is
// laid out as Go writes it; empty otherwise. A hint, to fetch the member's row ahead of decoding.
std::string_view peek_node(Bytes message);

// Each encoder writes the type byte and the body. Check out.ok() afterwards.
void encode(const Ping& message, Writer& out);
void encode(const IndirectPing& message, Writer& out);
void encode(const Ack& message, Writer& out);
void encode(const Nack& message, Writer& out);
void encode(const Suspect& message, Writer& out);
void encode(const Alive& message, Writer& out);
void encode(const Dead& message, Writer& out);
void encode(const ErrorMessage& message, Writer& out);
void encode(const Compressed& message, Writer& out);

// Nothing when there are fewer than six bytes; what that means is the caller's decision (section
// 7.1). Surplus bytes are ignored.
std::optional<Versions> decode_versions(Bytes vsn);
std::array<std::byte, 6> encode_versions(const Versions& versions);

}  // namespace starling
