#include "tests/support/serf_json.h"

#include "wire/base/check.h"

namespace starling::test {
namespace {

using nlohmann::json;

json bytes_json(Bytes bytes) {
  return bytes.empty() ? json() : json(to_hex(bytes));
}

json list_json(const BytesList& list, bool text) {
  json items = json::array();
  CHECK(list.for_each([&](Bytes item) {
    items.push_back(text ? json(std::string(as_text(item))) : bytes_json(item));
  }));
  return items.empty() ? json() : items;
}

json to_json(const LeaveIntent& m) {
  return {{"LTime", to_number(m.time)}, {"Node", m.node}, {"Prune", m.prune}};
}
json to_json(const JoinIntent& m) {
  return {{"LTime", to_number(m.time)}, {"Node", m.node}};
}
json to_json(const UserEvent& m) {
  return {{"LTime", to_number(m.time)},
          {"Name", m.name},
          {"Payload", bytes_json(m.payload)},
          {"CC", m.coalesce}};
}
json to_json(const Query& m) {
  return {{"LTime", to_number(m.time)},
          {"ID", m.id},
          {"Addr", bytes_json(m.address)},
          {"Port", m.port},
          {"SourceNode", m.source_node},
          {"Filters", list_json(m.filters, false)},
          {"Flags", m.flags},
          {"RelayFactor", m.relay_factor},
          {"Timeout", m.timeout_ns},
          {"Name", m.name},
          {"Payload", bytes_json(m.payload)}};
}
json to_json(const QueryResponse& m) {
  return {{"LTime", to_number(m.time)},
          {"ID", m.id},
          {"From", m.from},
          {"Flags", m.flags},
          {"Payload", bytes_json(m.payload)}};
}
json to_json(const Relay& m) {
  return {{"DestAddr", {{"IP", bytes_json(m.address)}, {"Port", m.port}, {"Zone", m.zone}}},
          {"DestName", m.node},
          {"inner", serf_json(m.inner)}};
}
json to_json(const ConflictResponse& m) {
  if (!m.known) return {{"member", nullptr}};
  json tags = json::object();
  CHECK(m.tags.for_each([&](Tag tag) { tags[std::string(tag.key)] = tag.value; }));
  return {{"Name", m.name},
          {"Addr", bytes_json(m.address)},
          {"Port", m.port},
          {"Status", m.status},
          {"Tags", tags},
          {"ProtocolMin", m.versions.protocol_min},
          {"ProtocolMax", m.versions.protocol_max},
          {"ProtocolCur", m.versions.protocol_current},
          {"DelegateMin", m.versions.delegate_min},
          {"DelegateMax", m.versions.delegate_max},
          {"DelegateCur", m.versions.delegate_current}};
}
json to_json(const KeyRequest& m) {
  return {{"Key", bytes_json(m.key)}};
}
json to_json(const KeyResponse& m) {
  return {{"Keys", list_json(m.keys, true)},
          {"Message", m.message},
          {"PrimaryKey", m.primary_key},
          {"Result", m.result}};
}

// Calls visit(message) with the decoded message; false when it does not decode.
template <class Visit>
bool with_decoded(Bytes message, Visit&& visit) {
  Scratch scratch;
  const Bytes body = message.subspan(1);
  const auto visit_if_good = [&](const auto& decoded) {
    if (decoded) visit(*decoded);
    return decoded.has_value();
  };
  switch (static_cast<SerfType>(message[0])) {
    case SerfType::leave:
      return visit_if_good(decode_leave_intent(body));
    case SerfType::join:
      return visit_if_good(decode_join_intent(body));
    case SerfType::user_event:
      return visit_if_good(decode_user_event(body, scratch));
    case SerfType::query:
      return visit_if_good(decode_query(body, scratch));
    case SerfType::query_response:
      return visit_if_good(decode_query_response(body, scratch));
    case SerfType::conflict_response:
      return visit_if_good(decode_conflict_response(body, scratch));
    case SerfType::key_request:
      return visit_if_good(decode_key_request(body, scratch));
    case SerfType::key_response:
      return visit_if_good(decode_key_response(body));
    case SerfType::relay:
      return visit_if_good(decode_relay(body, scratch));
    case SerfType::push_pull:
      break;
  }
  return false;
}

struct Encoder {
  Writer& out;
  SignedStyle style;

  template <class Message>
  void operator()(const Message& message) {
    encode(message, out);
  }
  void operator()(const Query& query) { encode(query, out, style); }
  void operator()(const Relay& relay) {
    encode_relay_header(relay, out, style);
    out.put(relay.inner);
  }
  void operator()(const ConflictResponse& response) {
    std::vector<Tag> tags;
    CHECK(response.tags.for_each([&](Tag tag) { tags.push_back(tag); }));
    encode(response, tags, out);
  }
  void operator()(const KeyResponse& response) {
    std::vector<std::string_view> keys;
    CHECK(response.keys.for_each([&](Bytes key) { keys.push_back(as_text(key)); }));
    encode(response, keys, out);
  }
};

bool is_byte_field(const std::string& name) {
  return name == "Payload" || name == "Addr" || name == "IP" || name == "Key";
}

json recorded_bytes(const json& value, bool text_is_plain) {
  if (value.is_object() && value.contains("_raw_hex")) return value["_raw_hex"];
  if (!value.is_string()) return value;
  const auto text = value.get<std::string>();
  if (text.empty()) return json();
  return text_is_plain ? json(to_hex(as_bytes(text))) : value;
}

}  // namespace

json serf_json(Bytes message) {
  json result{{"error", "undecodable"}};
  if (message.empty()) return result;
  with_decoded(message, [&](const auto& decoded) {
    result = to_json(decoded);
    result["type"] = std::to_integer<unsigned>(message[0]);
  });
  return result;
}

json recorded_serf_json(json recorded) {
  if (recorded.contains("serf_type")) {
    json flat = recorded.contains("body") ? recorded["body"] : recorded["header"];
    flat["type"] = recorded["serf_type"];
    if (recorded.contains("inner_body")) {
      flat["inner"] = recorded["inner_body"];
      flat["inner"]["type"] = recorded["inner_type"];
    }
    recorded = flat;
  }
  json result = json::object();
  for (const auto& [name, value] : recorded.items()) {
    const bool hex = name.ends_with("_hex");
    const std::string plain = hex ? name.substr(0, name.size() - 4) : name;
    if (plain == "Filters" && value.is_array()) {
      json filters = json::array();
      for (const json& filter : value) filters.push_back(recorded_bytes(filter, !hex));
      result[plain] = filters.empty() ? json() : filters;
    } else if (hex || is_byte_field(plain)) {
      result[plain] = recorded_bytes(value, !hex);
    } else if ((plain == "inner" || plain == "DestAddr") && value.is_object()) {
      result[plain] = recorded_serf_json(value);
    } else {
      result[plain] = value;
    }
  }
  return result;
}

ByteVector reencode_serf(Bytes message, SignedStyle style) {
  ByteVector room(message.size() + 4096);
  Writer out(room);
  CHECK(with_decoded(message, Encoder{out, style}));
  CHECK(out.ok());
  return to_vector(out.written());
}

json tags_json(Bytes meta) {
  json tags = json::object();
  if (!for_each_tag(meta, [&](Tag tag) { tags[std::string(tag.key)] = tag.value; })) {
    tags["error"] = "malformed";
  }
  return tags;
}

json coordinate_json(const Coordinate& coordinate) {
  return {{"Adjustment", coordinate.adjustment},
          {"Error", coordinate.error},
          {"Height", coordinate.height},
          {"Vec", coordinate.vector}};
}

void StateCollector::on_event(const UserEvent& event) {
  state_["Events"].push_back({{"LTime", to_number(event.time)},
                              {"Name", event.name},
                              {"Payload", bytes_json(event.payload)}});
}

}  // namespace starling::test
