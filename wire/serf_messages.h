// Serf's messages as views: intents, user events, queries, responses, relays, keys.
//
// protocol/serf sections 4 and 11; metadata is in tags.h, the push/pull state in serf_state.h, the
// ack payload in ping_payload.h. Every Serf message is a memberlist user message whose first
// byte is the Serf type. Decoders expect the bytes after that type byte and give views into the
// input; encoders write the type byte and sorted maps in the gossip dialect (raw strings, never
// str8 or bin). Nothing allocates.
#pragma once

#include <span>

#include "wire/base/scratch.h"
#include "wire/msgpack.h"
#include "wire/ping_payload.h"
#include "wire/tags.h"

namespace starling {

// Only append: the numbers are the protocol.
enum class SerfType : std::uint8_t {
  leave = 0,
  join = 1,
  push_pull = 2,
  user_event = 3,
  query = 4,
  query_response = 5,
  conflict_response = 6,
  key_request = 7,
  key_response = 8,
  relay = 9,
};
std::string_view to_text(SerfType type);

struct LeaveIntent {
  LamportTime time{};
  std::string_view node;
  bool prune = false;
};

struct JoinIntent {
  LamportTime time{};
  std::string_view node;
};

struct UserEvent {
  LamportTime time{};
  std::string_view name;
  Bytes payload;
  bool coalesce = false;
};

// A msgpack array of byte strings, walked lazily; `raw` is the elements without the array header.
class BytesList {
 public:
  BytesList() = default;
  explicit BytesList(Bytes raw, std::size_t count) : raw_(raw), count_(count) {}
  std::size_t size() const { return count_; }
  Bytes raw() const { return raw_; }
  // Calls on_item(Bytes) for each element; false when an element is not a byte string.
  template <class OnItem>
  bool for_each(OnItem&& on_item) const {
    Reader in(raw_, "list");
    for (std::size_t i = 0; i < count_; ++i) {
      const Bytes item = as_bytes(msgpack::read_text(in));
      if (!in.ok()) return false;
      on_item(item);
    }
    return true;
  }

 private:
  Bytes raw_;
  std::size_t count_ = 0;
};

// Passes over an array of byte strings (nil: empty), checking every element. Faults stick to `in`.
BytesList read_bytes_list(Reader& in);

struct Query {
  static constexpr std::uint32_t flag_ack = 1;
  static constexpr std::uint32_t flag_no_broadcast = 2;

  LamportTime time{};
  std::uint32_t id = 0;
  Bytes address;
  std::uint16_t port = 0;
  std::string_view source_node;
  BytesList filters;
  std::uint32_t flags = 0;
  std::uint8_t relay_factor = 0;
  std::int64_t timeout_ns = 0;
  std::string_view name;
  Bytes payload;
};

struct QueryResponse {
  static constexpr std::uint32_t flag_ack = 1;
  LamportTime time{};
  std::uint32_t id = 0;
  std::string_view from;
  std::uint32_t flags = 0;
  Bytes payload;
};

// The header of a relay; the complete inner message follows without a length.
struct Relay {
  Bytes address;
  std::int64_t port = 0;
  std::string_view zone;
  std::string_view node;
  Bytes inner;  // set by the decoder: everything after the header
};

// A member's description in a conflict response. `known` is false for the nil answer.
struct ConflictResponse {
  bool known = false;
  Bytes address;
  std::uint16_t port = 0;
  std::string_view name;
  Versions versions;
  std::int64_t status = 0;
  TagMap tags;
};

struct KeyRequest {
  Bytes key;  // empty for list-keys
};

struct KeyResponse {
  BytesList keys;  // base64 texts
  std::string_view message;
  std::string_view primary_key;
  bool result = false;
};

// One element of Query::filters.
struct NodeFilter {
  BytesList names;
};
struct TagFilter {
  std::string_view tag;
  std::string_view expression;
};

Decoded<LeaveIntent> decode_leave_intent(Bytes body);
Decoded<JoinIntent> decode_join_intent(Bytes body);
Decoded<UserEvent> decode_user_event(Bytes body, Scratch& scratch);
Decoded<Query> decode_query(Bytes body, Scratch& scratch);
Decoded<QueryResponse> decode_query_response(Bytes body, Scratch& scratch);
Decoded<Relay> decode_relay(Bytes body, Scratch& scratch);
Decoded<ConflictResponse> decode_conflict_response(Bytes body, Scratch& scratch);
Decoded<KeyRequest> decode_key_request(Bytes body, Scratch& scratch);
Decoded<KeyResponse> decode_key_response(Bytes body);
Decoded<NodeFilter> decode_node_filter(Bytes body);  // after the filter's type byte 0
Decoded<TagFilter> decode_tag_filter(Bytes body);    // after the filter's type byte 1

void encode(const LeaveIntent& message, Writer& out);
void encode(const JoinIntent& message, Writer& out);
void encode(const UserEvent& message, Writer& out);
void encode(const Query& message, Writer& out, SignedStyle style);
void encode(const QueryResponse& message, Writer& out);
// The header only; append the inner message's bytes after it.
void encode_relay_header(const Relay& relay, Writer& out, SignedStyle style);
void encode(const ConflictResponse& message, std::span<const Tag> tags, Writer& out);
void encode(const KeyRequest& message, Writer& out);
void encode(const KeyResponse& message, std::span<const std::string_view> keys, Writer& out);
void encode_node_filter(std::span<const std::string_view> names, Writer& out);
void encode_tag_filter(const TagFilter& filter, Writer& out);

}  // namespace starling
