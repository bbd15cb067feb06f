#include "wire/push_pull.h"

#include "wire/canonical.h"

namespace starling {
namespace {

constexpr std::array<std::string_view, 4> header_keys{"Nodes", "UserStateLen", "Join", "~"};
constexpr std::array<std::string_view, 7> node_keys{"Name",        "Addr",  "Port", "Meta",
                                                    "Incarnation", "State", "Vsn"};
constexpr std::array<std::string_view, 1> user_keys{"UserMsgLen"};

// The layout that Go writes, whole; the rest is for the lenient reader.
bool read_canonical(Bytes input, NodeState& node, std::size_t& used) {
  CanonicalReader in(input);
  std::uint32_t incarnation = 0;
  std::uint8_t state = 0;
  const bool read = in.map(7) && in.key("Addr") && in.bytes(node.address) &&
                    in.key("Incarnation") && in.u32(incarnation) && in.key("Meta") &&
                    in.bytes(node.meta) && in.key("Name") && in.text(node.name) && in.key("Port") &&
                    in.u16(node.port) && in.key("State") && in.u8(state) && in.key("Vsn") &&
                    in.bytes(node.versions);
  node.incarnation = Incarnation{incarnation};
  node.state = state;
  used = in.used();
  return read;
}

}  // namespace

Decoded<PushPullHeader> decode_push_pull_header(Bytes input, std::size_t& used) {
  Reader in(input, "push/pull header");
  PushPullHeader header;
  msgpack::read_struct<header_keys>(in, [&](std::size_t field) {
    switch (field) {
      case 0:
        header.nodes = msgpack::read_signed(in);
        break;
      case 1:
        header.user_state_bytes = msgpack::read_signed(in);
        break;
      case 2:
        header.join = msgpack::read_bool(in);
        break;
      default:
        header.digests = msgpack::read_bool(in);
        break;
    }
  });
  if (!in.ok()) return std::unexpected(in.error());
  used = in.offset();
  return header;
}

Decoded<NodeState> decode_node_state(Bytes input, Scratch& scratch, std::size_t& used) {
  if (NodeState node; read_canonical(input, node, used)) return node;
  Reader in(input, "node state");
  NodeState node;
  msgpack::read_struct<node_keys>(in, [&](std::size_t field) {
    switch (field) {
      case 0:
        node.name = msgpack::read_text(in, scratch);
        break;
      case 1:
        node.address = msgpack::read_bytes(in, scratch);
        break;
      case 2:
        node.port = msgpack::read_u16(in);
        break;
      case 3:
        node.meta = msgpack::read_bytes(in, scratch);
        break;
      case 4:
        node.incarnation = Incarnation{msgpack::read_u32(in)};
        break;
      case 5:
        node.state = msgpack::read_signed(in);
        break;
      default:
        node.versions = msgpack::read_bytes(in, scratch);
        break;
    }
  });
  if (!in.ok()) return std::unexpected(in.error());
  used = in.offset();
  return node;
}

Decoded<UserHeader> decode_user_header(Bytes input, std::size_t& used) {
  Reader in(input, "user header");
  UserHeader header;
  msgpack::read_struct<user_keys>(in,
                                  [&](std::size_t) { header.bytes = msgpack::read_signed(in); });
  if (!in.ok()) return std::unexpected(in.error());
  used = in.offset();
  return header;
}

void encode(const PushPullHeader& header, Writer& out, SignedStyle style) {
  out.u8(static_cast<std::uint8_t>(MessageType::push_pull));
  msgpack::write_map_header(out, header.digests ? 4 : 3);
  msgpack::write_key(out, "Join");
  msgpack::write_bool(out, header.join);
  msgpack::write_key(out, "Nodes");
  msgpack::write_signed(out, header.nodes, style);
  msgpack::write_key(out, "UserStateLen");
  msgpack::write_signed(out, header.user_state_bytes, style);
  if (!header.digests) return;
  msgpack::write_key(out, "~");
  msgpack::write_bool(out, true);
}

void encode(const NodeState& node, Writer& out) {
  msgpack::write_map_header(out, 7);
  msgpack::write_key(out, "Addr");
  msgpack::write_bytes(out, node.address);
  msgpack::write_key(out, "Incarnation");
  msgpack::write_unsigned(out, to_number(node.incarnation));
  msgpack::write_key(out, "Meta");
  msgpack::write_bytes(out, node.meta);
  msgpack::write_key(out, "Name");
  msgpack::write_text(out, node.name);
  msgpack::write_key(out, "Port");
  msgpack::write_unsigned(out, node.port);
  msgpack::write_key(out, "State");
  // 0..3 in practice, where both styles agree.
  msgpack::write_signed(out, node.state, SignedStyle::signed_form);
  msgpack::write_key(out, "Vsn");
  msgpack::write_bytes(out, node.versions);
}

void encode(const UserHeader& header, Writer& out, SignedStyle style) {
  out.u8(static_cast<std::uint8_t>(MessageType::user));
  msgpack::write_map_header(out, 1);
  msgpack::write_key(out, "UserMsgLen");
  msgpack::write_signed(out, header.bytes, style);
}

bool PushPullReader::fail(WireError error) {
  error.offset = static_cast<std::uint32_t>(offset_ + error.offset);
  error_ = error;
  stage_ = Stage::failed;
  return false;
}

bool PushPullReader::next_item(Bytes& chunk, Bytes& item) {
  const auto next = carry_.next(chunk);
  if (!next) return fail(next.error());
  item = *next;
  return !item.empty();
}

bool PushPullReader::next_header(Bytes& chunk) {
  Bytes item;
  if (!next_item(chunk, item)) return false;
  std::size_t used = 0;
  const auto header = decode_push_pull_header(item, used);
  if (!header) return fail(header.error());
  if (header->nodes < 0 || header->nodes > limits_.nodes_max) {
    return fail({"push/pull header", "Nodes", WireFault::out_of_range, 0});
  }
  if (header->user_state_bytes < 0 || header->user_state_bytes > limits_.user_state_bytes_max) {
    return fail({"push/pull header", "UserStateLen", WireFault::out_of_range, 0});
  }
  header_ = *header;
  offset_ += item.size();
  return true;
}

std::span<const NodeState> PushPullReader::next_nodes(Bytes& chunk, std::span<NodeState> room) {
  if (carry_.held() != 0) return {};
  const auto missing = static_cast<std::uint64_t>(header_.nodes - nodes_read_);
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(missing, room.size()));
  std::size_t count = 0;
  for (std::size_t used = 0; count < wanted; ++count) {
    if (!read_canonical(chunk, room[count], used) || used > carry_.room()) break;
    chunk = chunk.subspan(used);
    offset_ += used;
  }
  return room.first(count);
}

bool PushPullReader::next_node(Bytes& chunk, NodeState& node) {
  Bytes item;
  if (!next_item(chunk, item)) return false;
  scratch_.reset();
  std::size_t used = 0;
  const auto decoded = decode_node_state(item, scratch_, used);
  if (!decoded) return fail(decoded.error());
  node = *decoded;
  ++nodes_read_;
  offset_ += item.size();
  return true;
}

Bytes PushPullReader::next_user_state(Bytes& chunk) {
  const auto missing = static_cast<std::uint64_t>(header_.user_state_bytes - user_state_read_);
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(missing, chunk.size()));
  const Bytes piece = chunk.first(taken);
  chunk = chunk.subspan(taken);
  user_state_read_ += static_cast<std::int64_t>(taken);
  return piece;
}

}  // namespace starling
