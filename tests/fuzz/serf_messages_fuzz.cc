// Any Serf message, metadata or ping payload: what decodes must encode, and decode again to the
// same. Bytes 0..9 are Serf's types; fa and fb are filters, fd a ping payload, others metadata.
#include <vector>

#include "tests/fuzz/fuzz.h"
#include "wire/serf_messages.h"

namespace starling {
namespace {

template <class Message>
void put(const Message& message, Writer& out) {
  encode(message, out);
}
void put(const Query& query, Writer& out) {
  CHECK(query.filters.for_each([](Bytes) {}));
  encode(query, out, SignedStyle::signed_form);
}
void put(const Relay& relay, Writer& out) {
  encode_relay_header(relay, out, SignedStyle::unsigned_form);
  out.put(relay.inner);
}
void put(const ConflictResponse& response, Writer& out) {
  std::vector<Tag> tags;
  CHECK(response.tags.for_each([&](Tag tag) { tags.push_back(tag); }));
  encode(response, tags, out);
}
void put(const KeyResponse& response, Writer& out) {
  std::vector<std::string_view> keys;
  CHECK(response.keys.for_each([&](Bytes key) { keys.push_back(as_text(key)); }));
  encode(response, keys, out);
}
void put(const NodeFilter& filter, Writer& out) {
  std::vector<std::string_view> names;
  CHECK(filter.names.for_each([&](Bytes name) { names.push_back(as_text(name)); }));
  encode_node_filter(names, out);
}
void put(const TagFilter& filter, Writer& out) {
  encode_tag_filter(filter, out);
}
void put(const Coordinate& coordinate, Writer& out) {
  encode_ping_payload(coordinate, out);
}

void put_meta(Bytes meta, Writer& out) {
  std::vector<Tag> tags;
  if (!for_each_tag(meta, [&](Tag tag) { tags.push_back(tag); })) return;
  encode_meta(tags, out);
}

constexpr std::uint8_t node_filter = 0xfa;
constexpr std::uint8_t tag_filter = 0xfb;
constexpr std::uint8_t ping_payload = 0xfd;

// The canonical form behind the same first byte; empty when it does not decode.
std::vector<std::byte> canonical(Bytes message) {
  Scratch scratch;
  // Fields that came as arrays may grow, by no more than the scratch space; nil texts by nothing.
  std::vector<std::byte> room(2 * message.size() + Scratch::bytes_max + 512);
  Writer out(room);
  const auto put_if = [&](const auto& decoded) {
    if (decoded) put(*decoded, out);
  };
  const std::uint8_t type = std::to_integer<std::uint8_t>(message[0]);
  const Bytes body = message.subspan(1);
  switch (type) {
    case 0:
      put_if(decode_leave_intent(body));
      break;
    case 1:
      put_if(decode_join_intent(body));
      break;
    case 3:
      put_if(decode_user_event(body, scratch));
      break;
    case 4:
      put_if(decode_query(body, scratch));
      break;
    case 5:
      put_if(decode_query_response(body, scratch));
      break;
    case 6:
      put_if(decode_conflict_response(body, scratch));
      break;
    case 7:
      put_if(decode_key_request(body, scratch));
      break;
    case 8:
      put_if(decode_key_response(body));
      break;
    case 9:
      put_if(decode_relay(body, scratch));
      break;
    case node_filter:
      put_if(decode_node_filter(body));
      break;
    case tag_filter:
      put_if(decode_tag_filter(body));
      break;
    case ping_payload:
      put_if(decode_ping_payload(body));
      break;
    default:
      put_meta(body, out);
      break;
  }
  CHECK(out.ok());
  room.resize(out.size());
  if (room.empty()) return room;
  // Filters carry their own first byte; the others that we number here get it back in front.
  if (type == node_filter || type == tag_filter) {
    room[0] = message[0];
  } else if (type > 9) {
    room.insert(room.begin(), message[0]);
  }
  return room;
}

void check_serf_message(Bytes input) {
  if (input.empty() || input[0] == std::byte{2}) return;  // the state has its own target
  const std::vector<std::byte> once = canonical(input);
  if (once.empty()) return;
  CHECK(canonical(once) == once);
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_serf_message)
