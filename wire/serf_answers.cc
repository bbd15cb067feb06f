// What travels inside query payloads, of serf_messages.h: name conflicts and key management.
#include "wire/serf_messages.h"

namespace starling {
namespace {

// Field names in Go's declaration order, which the array form of a struct uses.
constexpr std::array<std::string_view, 11> member_keys{
    "Name",        "Addr",        "Port",        "Tags",        "Status",     "ProtocolMin",
    "ProtocolMax", "ProtocolCur", "DelegateMin", "DelegateMax", "DelegateCur"};
constexpr std::array<std::string_view, 1> key_request_keys{"Key"};
constexpr std::array<std::string_view, 4> key_response_keys{"Result", "Message", "Keys",
                                                            "PrimaryKey"};

void read_version(Reader& in, std::size_t field, Versions& versions) {
  const std::uint8_t version = msgpack::read_u8(in);
  switch (field) {
    case 5:
      versions.protocol_min = version;
      break;
    case 6:
      versions.protocol_max = version;
      break;
    case 7:
      versions.protocol_current = version;
      break;
    case 8:
      versions.delegate_min = version;
      break;
    case 9:
      versions.delegate_max = version;
      break;
    default:
      versions.delegate_current = version;
      break;
  }
}

}  // namespace

Decoded<ConflictResponse> decode_conflict_response(Bytes body, Scratch& scratch) {
  Reader in(body, "conflict response");
  ConflictResponse response;
  response.versions = {0, 0, 0, 0, 0, 0};
  if (msgpack::read_nil(in)) return response;
  response.known = true;
  msgpack::read_struct<member_keys>(in, [&](std::size_t field) {
    switch (field) {
      case 0:
        response.name = msgpack::read_text(in);
        break;
      case 1:
        response.address = msgpack::read_bytes(in, scratch);
        break;
      case 2:
        response.port = msgpack::read_u16(in);
        break;
      case 3:
        response.tags = read_tag_map(in);
        break;
      case 4:
        response.status = msgpack::read_signed(in);
        break;
      default:
        read_version(in, field, response.versions);
        break;
    }
  });
  if (!in.ok()) return std::unexpected(in.error());
  return response;
}

void encode(const ConflictResponse& message, std::span<const Tag> tags, Writer& out) {
  out.u8(static_cast<std::uint8_t>(SerfType::conflict_response));
  if (!message.known) return msgpack::write_nil(out);
  const Versions& versions = message.versions;
  msgpack::write_map_header(out, member_keys.size());
  msgpack::write_key(out, "Addr");
  msgpack::write_bytes(out, message.address);
  msgpack::write_key(out, "DelegateCur");
  msgpack::write_unsigned(out, versions.delegate_current);
  msgpack::write_key(out, "DelegateMax");
  msgpack::write_unsigned(out, versions.delegate_max);
  msgpack::write_key(out, "DelegateMin");
  msgpack::write_unsigned(out, versions.delegate_min);
  msgpack::write_key(out, "Name");
  msgpack::write_text(out, message.name);
  msgpack::write_key(out, "Port");
  msgpack::write_unsigned(out, message.port);
  msgpack::write_key(out, "ProtocolCur");
  msgpack::write_unsigned(out, versions.protocol_current);
  msgpack::write_key(out, "ProtocolMax");
  msgpack::write_unsigned(out, versions.protocol_max);
  msgpack::write_key(out, "ProtocolMin");
  msgpack::write_unsigned(out, versions.protocol_min);
  msgpack::write_key(out, "Status");
  // The few statuses there are look the same in both styles.
  msgpack::write_signed(out, message.status, SignedStyle::signed_form);
  msgpack::write_key(out, "Tags");
  write_tag_map(tags, out);
}

Decoded<KeyRequest> decode_key_request(Bytes body, Scratch& scratch) {
  Reader in(body, "key request");
  KeyRequest request;
  msgpack::read_struct<key_request_keys>(
      in, [&](std::size_t) { request.key = msgpack::read_bytes(in, scratch); });
  if (!in.ok()) return std::unexpected(in.error());
  return request;
}

void encode(const KeyRequest& message, Writer& out) {
  out.u8(static_cast<std::uint8_t>(SerfType::key_request));
  msgpack::write_map_header(out, key_request_keys.size());
  msgpack::write_key(out, "Key");
  msgpack::write_text(out, as_text(message.key));  // an empty key is a0, not nil
}

Decoded<KeyResponse> decode_key_response(Bytes body) {
  Reader in(body, "key response");
  KeyResponse response;
  msgpack::read_struct<key_response_keys>(in, [&](std::size_t field) {
    switch (field) {
      case 0:
        response.result = msgpack::read_bool(in);
        break;
      case 1:
        response.message = msgpack::read_text(in);
        break;
      case 2:
        response.keys = read_bytes_list(in);
        break;
      default:
        response.primary_key = msgpack::read_text(in);
        break;
    }
  });
  if (!in.ok()) return std::unexpected(in.error());
  return response;
}

void encode(const KeyResponse& message, std::span<const std::string_view> keys, Writer& out) {
  out.u8(static_cast<std::uint8_t>(SerfType::key_response));
  msgpack::write_map_header(out, key_response_keys.size());
  msgpack::write_key(out, "Keys");
  if (keys.empty()) {
    msgpack::write_nil(out);
  } else {
    msgpack::write_array_header(out, keys.size());
    for (const std::string_view key : keys) msgpack::write_text(out, key);
  }
  msgpack::write_key(out, "Message");
  msgpack::write_text(out, message.message);
  msgpack::write_key(out, "PrimaryKey");
  msgpack::write_text(out, message.primary_key);
  msgpack::write_key(out, "Result");
  msgpack::write_bool(out, message.result);
}

}  // namespace starling
