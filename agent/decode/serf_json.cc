#include "agent/decode/serf_json.h"

#include "agent/go_text.h"
#include "wire/serf_state.h"

namespace starling::agent::decode {
namespace {

constexpr std::size_t relays_max = 8;                  // inside each other
constexpr std::size_t event_slot_bytes_max = 1 << 20;  // one slot of the state
constexpr std::byte tags_marker{0xff};

std::unexpected<WireError> fault(const char* layer, WireFault what, const char* field = "") {
  return std::unexpected(WireError{layer, field, what, 0});
}

bool may_be_serf(Bytes payload) {
  return payload.size() >= 2 &&
         std::to_integer<std::uint8_t>(payload[0]) <= static_cast<std::uint8_t>(SerfType::relay) &&
         starts_map(payload.subspan(1));
}

Decoded<Json> message_json(Bytes message, std::size_t depth);

void add_tag(Json& tags, Tag tag) {
  if (tags.size() < listed_max) append_pair(tags, std::string(tag.key), text_value(tag.value));
}

Json tags_json(const TagMap& tags) {
  Json described = Json::object();
  static_cast<void>(tags.for_each([&](Tag tag) { add_tag(described, tag); }));
  return described;
}

Json texts_json(const BytesList& list) {
  Json texts = Json::array();
  static_cast<void>(list.for_each([&](Bytes text) {
    if (texts.size() < listed_max) texts.push_back(text_value(as_text(text)));
  }));
  return texts;
}

// The payload of a query or of a response: Serf's own ones are messages again.
Json query_payload(Bytes payload) {
  Json value = payload_value(payload);
  if (!may_be_serf(payload)) return value;
  const auto type = static_cast<SerfType>(payload[0]);
  if (type != SerfType::conflict_response && type != SerfType::key_request &&
      type != SerfType::key_response) {
    return value;
  }
  auto inner = message_json(payload, relays_max);
  if (inner) value = Json{{"bytes", payload.size()}, {"serf", std::move(*inner)}};
  return value;
}

Decoded<Json> filter_json(Bytes filter) {
  if (filter.empty()) return fault("query filter", WireFault::truncated);
  if (filter[0] == std::byte{0}) {
    const auto nodes = decode_node_filter(filter.subspan(1));
    if (!nodes) return std::unexpected(nodes.error());
    return Json{{"type", "node"}, {"names", texts_json(nodes->names)}};
  }
  if (filter[0] != std::byte{1}) return fault("query filter", WireFault::unsupported, "type");
  const auto tag = decode_tag_filter(filter.subspan(1));
  if (!tag) return std::unexpected(tag.error());
  return Json{
      {"type", "tag"}, {"Tag", text_value(tag->tag)}, {"Expr", text_value(tag->expression)}};
}

Decoded<Json> to_json(const LeaveIntent& intent, std::size_t) {
  return Json{{"LTime", to_number(intent.time)},
              {"Node", text_value(intent.node)},
              {"Prune", intent.prune}};
}

Decoded<Json> to_json(const JoinIntent& intent, std::size_t) {
  return Json{{"LTime", to_number(intent.time)}, {"Node", text_value(intent.node)}};
}

Decoded<Json> to_json(const UserEvent& event, std::size_t) {
  return Json{{"LTime", to_number(event.time)},
              {"Name", text_value(event.name)},
              {"Payload", payload_value(event.payload)},
              {"CC", event.coalesce}};
}

Decoded<Json> to_json(const Query& query, std::size_t) {
  Json filters = Json::array();
  std::optional<WireError> bad;
  static_cast<void>(query.filters.for_each([&](Bytes filter) {
    if (bad || filters.size() == listed_max) return;
    auto described = filter_json(filter);
    if (!described) {
      bad = described.error();
      return;
    }
    filters.push_back(std::move(*described));
  }));
  if (bad) return std::unexpected(*bad);
  return Json{{"LTime", to_number(query.time)},
              {"ID", query.id},
              {"Addr", address_value(query.address)},
              {"Port", query.port},
              {"SourceNode", text_value(query.source_node)},
              {"Filters", std::move(filters)},
              {"Flags", query.flags},
              {"RelayFactor", query.relay_factor},
              {"Timeout", query.timeout_ns},
              {"Name", text_value(query.name)},
              {"Payload", query_payload(query.payload)}};
}

Decoded<Json> to_json(const QueryResponse& response, std::size_t) {
  return Json{{"LTime", to_number(response.time)},
              {"ID", response.id},
              {"From", text_value(response.from)},
              {"Flags", response.flags},
              {"Payload", query_payload(response.payload)}};
}

Decoded<Json> to_json(const Relay& relay, std::size_t depth) {
  Json described{{"DestAddr",
                  {{"IP", address_value(relay.address)},
                   {"Port", relay.port},
                   {"Zone", text_value(relay.zone)}}},
                 {"DestName", text_value(relay.node)}};
  if (!may_be_serf(relay.inner)) {
    described["inner"] = payload_value(relay.inner);
    return described;
  }
  auto inner = message_json(relay.inner, depth + 1);
  if (!inner) return std::unexpected(inner.error());
  described["inner"] = std::move(*inner);
  return described;
}

Decoded<Json> to_json(const ConflictResponse& response, std::size_t) {
  if (!response.known) return Json{{"known", false}};
  const Versions& versions = response.versions;
  return Json{{"known", true},
              {"Name", text_value(response.name)},
              {"Addr", address_value(response.address)},
              {"Port", response.port},
              {"Tags", tags_json(response.tags)},
              {"Status", response.status},
              {"ProtocolMin", versions.protocol_min},
              {"ProtocolMax", versions.protocol_max},
              {"ProtocolCur", versions.protocol_current},
              {"DelegateMin", versions.delegate_min},
              {"DelegateMax", versions.delegate_max},
              {"DelegateCur", versions.delegate_current}};
}

Decoded<Json> to_json(const KeyRequest& request, std::size_t) {
  return Json{{"Key", base64_encode(as_text(request.key))}};
}

Decoded<Json> to_json(const KeyResponse& response, std::size_t) {
  return Json{{"Result", response.result},
              {"Message", text_value(response.message)},
              {"Keys", texts_json(response.keys)},
              {"PrimaryKey", text_value(response.primary_key)}};
}

Json with_type(const char* type, Json fields) {
  Json described{{"type", type}};
  for (auto& [key, value] : fields.get_ref<Json::object_t&>()) {
    append_pair(described, key, std::move(value));
  }
  return described;
}

struct Described {
  const char* type;
  std::size_t depth;

  template <class Message>
  Decoded<Json> operator()(const Decoded<Message>& message) const {
    if (!message) return std::unexpected(message.error());
    auto fields = to_json(*message, depth);
    if (!fields) return fields;
    return with_type(type, std::move(*fields));
  }
};

// `message` starts with its type byte. Recursion is bounded by relays_max.
// NOLINTNEXTLINE(misc-no-recursion)
Decoded<Json> message_json(Bytes message, std::size_t depth) {
  if (depth > relays_max) return fault("relay", WireFault::too_deep);
  Scratch scratch;
  const Bytes body = message.subspan(1);
  switch (static_cast<SerfType>(message[0])) {
    case SerfType::leave:
      return Described{"leave", depth}(decode_leave_intent(body));
    case SerfType::join:
      return Described{"join", depth}(decode_join_intent(body));
    case SerfType::user_event:
      return Described{"userEvent", depth}(decode_user_event(body, scratch));
    case SerfType::query:
      return Described{"query", depth}(decode_query(body, scratch));
    case SerfType::query_response:
      return Described{"queryResponse", depth}(decode_query_response(body, scratch));
    case SerfType::conflict_response:
      return Described{"conflictResponse", depth}(decode_conflict_response(body, scratch));
    case SerfType::key_request:
      return Described{"keyRequest", depth}(decode_key_request(body, scratch));
    case SerfType::key_response:
      return Described{"keyResponse", depth}(decode_key_response(body));
    case SerfType::relay:
      return Described{"relay", depth}(decode_relay(body, scratch));
    case SerfType::push_pull:
      break;
  }
  return fault("serf", WireFault::unsupported, "type");
}

// A list that stops growing at listed_max and counts the rest.
class BoundedList {
 public:
  bool room() {
    if (listed_ < listed_max) return ++listed_ > 0;
    ++left_out_;
    return false;
  }
  std::uint64_t left_out() const { return left_out_; }

 private:
  std::size_t listed_ = 0;
  std::uint64_t left_out_ = 0;
};

struct StateSink {
  SerfClocks clocks;
  Json left = Json::array();
  Json statuses = Json::object();
  Json slots = Json::array();
  LamportTime slot_time{};
  BoundedList left_room, status_room, event_room;

  void on_member_clock(LamportTime time) { clocks.member = time; }
  void on_event_clock(LamportTime time) { clocks.event = time; }
  void on_query_clock(LamportTime time) { clocks.query = time; }
  void on_left_member(std::string_view name) {
    if (left_room.room()) left.push_back(text_value(name));
  }
  void on_status(std::string_view name, LamportTime time) {
    if (status_room.room()) append_pair(statuses, std::string(name), to_number(time));
  }
  void on_event(const UserEvent& event) {
    if (!event_room.room()) return;
    if (slots.empty() || slot_time != event.time) {
      slot_time = event.time;
      slots.push_back(Json{{"LTime", to_number(event.time)}, {"Events", Json::array()}});
    }
    slots.back()["Events"].push_back(
        Json{{"Name", text_value(event.name)}, {"Payload", payload_value(event.payload)}});
  }
};

// How the ring looks; the reader has found the state sound.
struct Ring {
  std::uint64_t slots = 0;
  std::vector<std::uint64_t> filled;
};
Ring walk_ring(Bytes state) {
  Ring ring;
  Reader in(state);
  for (auto pairs = msgpack::read_map_header(in); pairs > 0 && in.ok(); --pairs) {
    const bool is_events = msgpack::read_key(in) == "Events";
    if (!is_events || msgpack::peek(in) != msgpack::Kind::array) {
      static_cast<void>(msgpack::take_value(in));
      continue;
    }
    const std::uint64_t slots = msgpack::read_array_header(in);
    for (ring.slots = 0; ring.slots < slots && in.ok(); ++ring.slots) {
      if (msgpack::read_nil(in)) continue;
      ring.filled.push_back(ring.slots);
      static_cast<void>(msgpack::take_value(in));
    }
  }
  return ring;
}

Decoded<Json> state_json(Bytes state) {
  std::vector<std::byte> carry(event_slot_bytes_max);
  SerfStateReader reader(carry);
  StateSink sink;
  const auto progress = reader.feed(state, sink);
  if (!progress) return std::unexpected(progress.error());
  if (*progress != SerfStateReader::Progress::done) {
    return fault("serf state", WireFault::truncated);
  }
  const Ring ring = walk_ring(state);
  if (ring.filled.size() == sink.slots.size()) {
    for (std::size_t i = 0; i < ring.filled.size(); ++i) sink.slots[i]["slot"] = ring.filled[i];
  }
  Json described{{"type", "pushPull"},
                 {"LTime", to_number(sink.clocks.member)},
                 {"EventLTime", to_number(sink.clocks.event)},
                 {"QueryLTime", to_number(sink.clocks.query)},
                 {"LeftMembers", std::move(sink.left)},
                 {"StatusLTimes", std::move(sink.statuses)},
                 {"slots", ring.slots},
                 {"empty_slots", ring.slots - ring.filled.size()},
                 {"Events", std::move(sink.slots)}};
  const std::uint64_t left_out =
      sink.left_room.left_out() + sink.status_room.left_out() + sink.event_room.left_out();
  if (left_out > 0) described["not_listed"] = left_out;
  if (reader.slots_dropped() > 0) described["slots_too_large"] = reader.slots_dropped();
  return described;
}

}  // namespace

Decoded<Json> user_payload_json(Bytes payload) {
  if (!may_be_serf(payload)) return payload_value(payload);
  auto described = message_json(payload, 0);
  if (!described) return described;
  return Json{{"bytes", payload.size()}, {"serf", std::move(*described)}};
}

Decoded<Json> meta_json(Bytes meta) {
  const bool tagged = meta.size() >= 2 && meta[0] == tags_marker && starts_map(meta.subspan(1));
  if (!tagged) return payload_value(meta);
  Json tags = Json::object();
  const bool sound = for_each_tag(meta, [&](Tag tag) { add_tag(tags, tag); });
  if (!sound) return fault("tags", WireFault::malformed, "Meta");
  return Json{{"bytes", meta.size()}, {"tags", std::move(tags)}};
}

Decoded<Json> ack_payload_json(Bytes payload) {
  const bool coordinate =
      payload.size() >= 2 && payload[0] == std::byte{1} && starts_map(payload.subspan(1));
  if (!coordinate) return payload_value(payload);
  const auto decoded = decode_ping_payload(payload);
  if (!decoded) return std::unexpected(decoded.error());
  return Json{{"bytes", payload.size()},
              {"coordinate",
               {{"Vec", decoded->vector},
                {"Error", decoded->error},
                {"Adjustment", decoded->adjustment},
                {"Height", decoded->height}}}};
}

Decoded<Json> user_state_json(Bytes state) {
  const bool serf = state.size() >= 2 && state[0] == static_cast<std::byte>(SerfType::push_pull) &&
                    starts_map(state.subspan(1));
  if (!serf) return payload_value(state);
  auto described = state_json(state.subspan(1));
  if (!described) return described;
  return Json{{"bytes", state.size()}, {"serf", std::move(*described)}};
}

}  // namespace starling::agent::decode
