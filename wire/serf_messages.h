// Serf's messages as views: intents, user events, queries, responses, relays, keys, tags, state.
//
// protocol/serf sections 2, 4 and 7. Every Serf message is a memberlist user message whose first
// byte is the Serf type. Decoders expect the bytes after that type byte and give views into the
// input; encoders write the type byte and sorted maps in the gossip dialect (raw strings, never
// str8 or bin). Nothing allocates.
#pragma once

#include "wire/messages.h"
#include "wire/push_pull.h"

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

inline constexpr std::size_t meta_bytes_max = 512;
inline constexpr std::size_t event_slots = 512;  // ring slots in a push/pull state

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

// A msgpack array of byte strings, walked lazily; `raw` is the encoded array (or nil).
class BytesList {
 public:
  BytesList() = default;
  explicit BytesList(Bytes raw, std::size_t count) : raw_(raw), count_(count) {}
  std::size_t size() const { return count_; }
  Bytes raw() const { return raw_; }
  // Calls on_item(Bytes) for each element; false when an element is not a byte string.
  template <class OnItem>
  bool for_each(OnItem&& on_item) const;

 private:
  Bytes raw_;  // the elements, without the array header
  std::size_t count_ = 0;
};

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

// One tag, or one entry of any string-to-string map.
struct Tag {
  std::string_view key;
  std::string_view value;
};

// A lazily walked msgpack map of strings.
class TagMap {
 public:
  TagMap() = default;
  TagMap(Bytes raw, std::size_t count) : raw_(raw), count_(count) {}
  std::size_t size() const { return count_; }
  // Calls on_tag(Tag) for each pair, in wire order; false when the map is malformed (pairs before
  // the fault have been delivered, as Go keeps them).
  template <class OnTag>
  bool for_each(OnTag&& on_tag) const;

 private:
  Bytes raw_;
  std::size_t count_ = 0;
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

// Member metadata (section 2): byte ff and a map of tags, or a bare role.
struct Meta {
  TagMap tags;            // when not bare
  std::string_view role;  // when bare
  bool bare_role = false;
};
Decoded<Meta> decode_meta(Bytes meta);
// Tags in the given order behind byte ff. Check out.ok() and meta_bytes_max.
void encode_meta(std::span<const Tag> tags, Writer& out);
// Calls on_tag(Tag) for every tag of any metadata, a bare role as tag "role".
template <class OnTag>
bool for_each_tag(Bytes meta, OnTag&& on_tag);

// The ack payload: version byte 1 and a network coordinate (section 14).
struct Coordinate {
  static constexpr std::size_t dimensions = 8;
  std::array<double, dimensions> vector{};
  double error = 1.5;
  double adjustment = 0;
  double height = 1e-5;
};
Decoded<Coordinate> decode_ping_payload(Bytes payload);
void encode_ping_payload(const Coordinate& coordinate, Writer& out);

// The user state of a push/pull (section 7), read as a stream in bounded memory. Feed what follows
// type byte 2. Items arrive in wire order; Go sorts the keys: EventLTime, Events, LTime,
// LeftMembers, QueryLTime, StatusLTimes. A foreign order works too, the sink sees it as it comes.
struct SerfClocks {
  LamportTime member{}, event{}, query{};
};
template <class Sink>
concept SerfStateSink = requires(Sink sink, LamportTime time, std::string_view name,
                                 const UserEvent& event) {
  sink.on_member_clock(time);
  sink.on_event_clock(time);
  sink.on_query_clock(time);
  sink.on_left_member(name);
  sink.on_status(name, time);
  sink.on_event(event);  // one event of one slot
};

class SerfStateReader {
 public:
  // `carry` holds an item that a chunk boundary splits; its size is the largest event accepted.
  explicit SerfStateReader(MutableBytes carry) : carry_(carry) {}
  enum class Progress : std::uint8_t { more, done };
  template <SerfStateSink Sink>
  Decoded<Progress> feed(Bytes chunk, Sink& sink);

 private:
  enum class Stage : std::uint8_t {
    map_header,
    key,
    clock_value,
    left_header,
    left_item,
    status_header,
    status_item,
    events_header,
    event_slot,
    event_slot_field,
    event_list,
    event_item,
    skip_value,
    done,
  };
  MutableBytes carry_;
  std::size_t carried_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t pairs_left_ = 0, items_left_ = 0, slot_pairs_left_ = 0, events_left_ = 0;
  LamportTime slot_time_{};
  std::uint8_t clock_ = 0;
  Stage stage_ = Stage::map_header;
};

// Writes the same state piece by piece: begin, every event slot in order, then the lists with the
// counts announced, then end. The caller sizes `out` or drains it between calls.
class SerfStateWriter {
 public:
  explicit SerfStateWriter(Writer& out) : out_(out) {}
  // Type byte, map header, EventLTime and the header of `slots` event slots.
  void begin(const SerfClocks& clocks, std::size_t slots);
  void empty_slot();
  void slot(LamportTime time, std::size_t events);  // followed by `events` calls of slot_event
  void slot_event(std::string_view name, Bytes payload);
  void left_members(const SerfClocks& clocks, std::size_t count);  // LTime, then the list header
  void left_member(std::string_view name);
  void statuses(const SerfClocks& clocks, std::size_t count);  // QueryLTime, then the map header
  void status(std::string_view name, LamportTime time);

 private:
  Writer& out_;
};

}  // namespace starling
