// Queries, their answers and filters, and the relay header of serf_messages.h.
#include "wire/serf_messages.h"

namespace starling {
namespace {

// Field names in Go's declaration order, which the array form of a struct uses.
constexpr std::array<std::string_view, 11> query_keys{
    "LTime", "ID",          "Addr",    "Port", "SourceNode", "Filters",
    "Flags", "RelayFactor", "Timeout", "Name", "Payload"};
constexpr std::array<std::string_view, 5> response_keys{"LTime", "ID", "From", "Flags", "Payload"};
constexpr std::array<std::string_view, 2> relay_keys{"DestAddr", "DestName"};
constexpr std::array<std::string_view, 3> address_keys{"IP", "Port", "Zone"};
constexpr std::array<std::string_view, 2> tag_filter_keys{"Tag", "Expr"};

constexpr std::uint8_t node_filter_byte = 0;
constexpr std::uint8_t tag_filter_byte = 1;

void write_number(Writer& out, std::uint64_t value) {
  msgpack::write_unsigned(out, value);
}

}  // namespace

Decoded<Query> decode_query(Bytes body, Scratch& scratch) {
  Reader in(body, "query");
  Query query;
  msgpack::read_struct<query_keys>(in, [&](std::size_t field) {
    switch (field) {
      case 0:
        query.time = LamportTime{msgpack::read_u64(in)};
        break;
      case 1:
        query.id = msgpack::read_u32(in);
        break;
      case 2:
        query.address = msgpack::read_bytes(in, scratch);
        break;
      case 3:
        query.port = msgpack::read_u16(in);
        break;
      case 4:
        query.source_node = msgpack::read_text(in);
        break;
      case 5:
        query.filters = read_bytes_list(in);
        break;
      case 6:
        query.flags = msgpack::read_u32(in);
        break;
      case 7:
        query.relay_factor = msgpack::read_u8(in);
        break;
      case 8:
        query.timeout_ns = msgpack::read_signed(in);
        break;
      case 9:
        query.name = msgpack::read_text(in);
        break;
      default:
        query.payload = msgpack::read_bytes(in, scratch);
        break;
    }
  });
  if (!in.ok()) return std::unexpected(in.error());
  return query;
}

void encode(const Query& message, Writer& out, SignedStyle style) {
  out.u8(static_cast<std::uint8_t>(SerfType::query));
  msgpack::write_map_header(out, query_keys.size());
  msgpack::write_key(out, "Addr");
  msgpack::write_bytes(out, message.address);
  msgpack::write_key(out, "Filters");
  if (message.filters.size() == 0) {
    msgpack::write_nil(out);
  } else {
    msgpack::write_array_header(out, message.filters.size());
    out.put(message.filters.raw());
  }
  msgpack::write_key(out, "Flags");
  write_number(out, message.flags);
  msgpack::write_key(out, "ID");
  write_number(out, message.id);
  msgpack::write_key(out, "LTime");
  write_number(out, to_number(message.time));
  msgpack::write_key(out, "Name");
  msgpack::write_text(out, message.name);
  msgpack::write_key(out, "Payload");
  msgpack::write_bytes(out, message.payload);
  msgpack::write_key(out, "Port");
  write_number(out, message.port);
  msgpack::write_key(out, "RelayFactor");
  write_number(out, message.relay_factor);
  msgpack::write_key(out, "SourceNode");
  msgpack::write_text(out, message.source_node);
  msgpack::write_key(out, "Timeout");
  msgpack::write_signed(out, message.timeout_ns, style);
}

Decoded<QueryResponse> decode_query_response(Bytes body, Scratch& scratch) {
  Reader in(body, "query response");
  QueryResponse response;
  msgpack::read_struct<response_keys>(in, [&](std::size_t field) {
    switch (field) {
      case 0:
        response.time = LamportTime{msgpack::read_u64(in)};
        break;
      case 1:
        response.id = msgpack::read_u32(in);
        break;
      case 2:
        response.from = msgpack::read_text(in);
        break;
      case 3:
        response.flags = msgpack::read_u32(in);
        break;
      default:
        response.payload = msgpack::read_bytes(in, scratch);
        break;
    }
  });
  if (!in.ok()) return std::unexpected(in.error());
  return response;
}

void encode(const QueryResponse& message, Writer& out) {
  out.u8(static_cast<std::uint8_t>(SerfType::query_response));
  msgpack::write_map_header(out, response_keys.size());
  msgpack::write_key(out, "Flags");
  write_number(out, message.flags);
  msgpack::write_key(out, "From");
  msgpack::write_text(out, message.from);
  msgpack::write_key(out, "ID");
  write_number(out, message.id);
  msgpack::write_key(out, "LTime");
  write_number(out, to_number(message.time));
  msgpack::write_key(out, "Payload");
  msgpack::write_bytes(out, message.payload);
}

Decoded<Relay> decode_relay(Bytes body, Scratch& scratch) {
  Reader in(body, "relay");
  Relay relay;
  const auto read_address = [&](std::size_t field) {
    switch (field) {
      case 0:
        relay.address = msgpack::read_bytes(in, scratch);
        break;
      case 1:
        relay.port = msgpack::read_signed(in);
        break;
      default:
        relay.zone = msgpack::read_text(in);
        break;
    }
  };
  msgpack::read_struct<relay_keys>(in, [&](std::size_t field) {
    if (field == 0) {
      msgpack::read_struct<address_keys>(in, read_address);
    } else {
      relay.node = msgpack::read_text(in);
    }
  });
  if (!in.ok()) return std::unexpected(in.error());
  relay.inner = in.rest();
  return relay;
}

void encode_relay_header(const Relay& relay, Writer& out, SignedStyle style) {
  out.u8(static_cast<std::uint8_t>(SerfType::relay));
  msgpack::write_map_header(out, relay_keys.size());
  msgpack::write_key(out, "DestAddr");
  msgpack::write_map_header(out, address_keys.size());
  msgpack::write_key(out, "IP");
  msgpack::write_bytes(out, relay.address);
  msgpack::write_key(out, "Port");
  msgpack::write_signed(out, relay.port, style);
  msgpack::write_key(out, "Zone");
  msgpack::write_text(out, relay.zone);
  msgpack::write_key(out, "DestName");
  msgpack::write_text(out, relay.node);
}

Decoded<NodeFilter> decode_node_filter(Bytes body) {
  Reader in(body, "node filter");
  const NodeFilter filter{read_bytes_list(in)};
  if (!in.ok()) return std::unexpected(in.error());
  return filter;
}

Decoded<TagFilter> decode_tag_filter(Bytes body) {
  Reader in(body, "tag filter");
  TagFilter filter;
  msgpack::read_struct<tag_filter_keys>(in, [&](std::size_t field) {
    if (field == 0) {
      filter.tag = msgpack::read_text(in);
    } else {
      filter.expression = msgpack::read_text(in);
    }
  });
  if (!in.ok()) return std::unexpected(in.error());
  return filter;
}

void encode_node_filter(std::span<const std::string_view> names, Writer& out) {
  out.u8(node_filter_byte);
  msgpack::write_array_header(out, names.size());
  for (const std::string_view name : names) msgpack::write_text(out, name);
}

void encode_tag_filter(const TagFilter& filter, Writer& out) {
  out.u8(tag_filter_byte);
  msgpack::write_map_header(out, tag_filter_keys.size());
  msgpack::write_key(out, "Expr");
  msgpack::write_text(out, filter.expression);
  msgpack::write_key(out, "Tag");
  msgpack::write_text(out, filter.tag);
}

}  // namespace starling
