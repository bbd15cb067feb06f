#include "wire/serf_messages.h"

namespace starling {
namespace {

// Field names in Go's declaration order, which the array form of a struct uses.
constexpr std::array<std::string_view, 3> leave_keys{"LTime", "Node", "Prune"};
constexpr std::array<std::string_view, 2> join_keys{"LTime", "Node"};
constexpr std::array<std::string_view, 4> event_keys{"LTime", "Name", "Payload", "CC"};

void begin(Writer& out, SerfType type, std::size_t fields) {
  out.u8(static_cast<std::uint8_t>(type));
  msgpack::write_map_header(out, fields);
}

LamportTime read_time(Reader& in) {
  return LamportTime{msgpack::read_u64(in)};
}

void write_time(Writer& out, LamportTime time) {
  msgpack::write_key(out, "LTime");
  msgpack::write_unsigned(out, to_number(time));
}

template <class Message>
Decoded<Message> result(const Reader& in, const Message& message) {
  if (!in.ok()) return std::unexpected(in.error());
  return message;
}

}  // namespace

std::string_view to_text(SerfType type) {
  switch (type) {
    case SerfType::leave:
      return "leave";
    case SerfType::join:
      return "join";
    case SerfType::push_pull:
      return "push/pull";
    case SerfType::user_event:
      return "user event";
    case SerfType::query:
      return "query";
    case SerfType::query_response:
      return "query response";
    case SerfType::conflict_response:
      return "conflict response";
    case SerfType::key_request:
      return "key request";
    case SerfType::key_response:
      return "key response";
    case SerfType::relay:
      return "relay";
  }
  return "unknown";  // a byte from the wire may be anything
}

BytesList read_bytes_list(Reader& in) {
  const std::uint64_t count = msgpack::read_array_header(in);
  const Bytes before = in.rest();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) msgpack::read_text(in);
  if (!in.ok()) return {};
  return BytesList(before.first(before.size() - in.left()), static_cast<std::size_t>(count));
}

Decoded<LeaveIntent> decode_leave_intent(Bytes body) {
  Reader in(body, "leave");
  LeaveIntent intent;
  msgpack::read_struct<leave_keys>(in, [&](std::size_t field) {
    switch (field) {
      case 0:
        intent.time = read_time(in);
        break;
      case 1:
        intent.node = msgpack::read_text(in);
        break;
      default:
        intent.prune = msgpack::read_bool(in);
        break;
    }
  });
  return result(in, intent);
}

Decoded<JoinIntent> decode_join_intent(Bytes body) {
  Reader in(body, "join");
  JoinIntent intent;
  msgpack::read_struct<join_keys>(in, [&](std::size_t field) {
    if (field == 0) {
      intent.time = read_time(in);
    } else {
      intent.node = msgpack::read_text(in);
    }
  });
  return result(in, intent);
}

Decoded<UserEvent> decode_user_event(Bytes body, Scratch& scratch) {
  Reader in(body, "user event");
  UserEvent event;
  msgpack::read_struct<event_keys>(in, [&](std::size_t field) {
    switch (field) {
      case 0:
        event.time = read_time(in);
        break;
      case 1:
        event.name = msgpack::read_text(in);
        break;
      case 2:
        event.payload = msgpack::read_bytes(in, scratch);
        break;
      default:
        event.coalesce = msgpack::read_bool(in);
        break;
    }
  });
  return result(in, event);
}

void encode(const LeaveIntent& message, Writer& out) {
  begin(out, SerfType::leave, leave_keys.size());
  write_time(out, message.time);
  msgpack::write_key(out, "Node");
  msgpack::write_text(out, message.node);
  msgpack::write_key(out, "Prune");
  msgpack::write_bool(out, message.prune);
}

void encode(const JoinIntent& message, Writer& out) {
  begin(out, SerfType::join, join_keys.size());
  write_time(out, message.time);
  msgpack::write_key(out, "Node");
  msgpack::write_text(out, message.node);
}

void encode(const UserEvent& message, Writer& out) {
  begin(out, SerfType::user_event, event_keys.size());
  msgpack::write_key(out, "CC");
  msgpack::write_bool(out, message.coalesce);
  write_time(out, message.time);
  msgpack::write_key(out, "Name");
  msgpack::write_text(out, message.name);
  msgpack::write_key(out, "Payload");
  msgpack::write_bytes(out, message.payload);
}

}  // namespace starling
