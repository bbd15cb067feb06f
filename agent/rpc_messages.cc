#include "agent/rpc_messages.h"

#include <array>

#include "agent/members_mirror.h"
#include "agent/rpc_writer.h"
#include "wire/msgpack.h"

namespace starling::agent {
namespace {

using Keys1 = std::array<std::string_view, 1>;
using Keys2 = std::array<std::string_view, 2>;
using Keys3 = std::array<std::string_view, 3>;
constexpr Keys2 header_keys{"Command", "Seq"};
constexpr Keys1 handshake_keys{"Version"};
constexpr Keys1 auth_keys{"AuthKey"};
constexpr Keys3 event_keys{"Name", "Payload", "Coalesce"};
constexpr Keys2 force_leave_keys{"Node", "Prune"};
constexpr Keys2 join_keys{"Existing", "Replay"};
constexpr Keys3 members_filtered_keys{"Tags", "Status", "Name"};
constexpr Keys2 tags_keys{"Tags", "DeleteTags"};
constexpr Keys3 host_member_keys{"Name", "Tags", "Advertise"};
constexpr Keys1 unhost_member_keys{"Name"};
constexpr Keys3 member_tags_keys{"Member", "Tags", "DeleteTags"};
constexpr Keys1 key_keys{"Key"};
constexpr std::array<std::string_view, 5> key_outcome_keys{"Messages", "Keys", "NumNodes", "NumErr",
                                                           "NumResp"};
constexpr std::array<std::string_view, 7> query_keys{
    "FilterNodes", "FilterTags", "RequestAck", "RelayFactor", "Timeout", "Name", "Payload"};
constexpr Keys2 respond_keys{"ID", "Payload"};
constexpr Keys3 query_record_keys{"Type", "From", "Payload"};
constexpr Keys1 stream_keys{"Type"};
constexpr Keys1 monitor_keys{"LogLevel"};
constexpr Keys1 stop_keys{"Stop"};
constexpr Keys2 response_keys{"Seq", "Error"};
constexpr Keys1 join_count_keys{"Num"};
constexpr Keys1 log_keys{"Log"};
constexpr Keys1 coordinate_request_keys{"Node"};
constexpr Keys2 coordinate_answer_keys{"Coord", "Ok"};
constexpr std::array<std::string_view, 4> coordinate_keys{"Vec", "Error", "Adjustment", "Height"};
constexpr std::array<std::string_view, 11> member_keys{
    "Name",        "Addr",        "Port",        "Tags",        "Status",     "ProtocolMin",
    "ProtocolMax", "ProtocolCur", "DelegateMin", "DelegateMax", "DelegateCur"};

Decoded<void> finish(const Reader& in) {
  if (!in.ok()) return std::unexpected(in.error());
  return {};
}

std::string read_string(Reader& in) {
  return std::string(msgpack::read_text(in));
}

Tags read_tags(Reader& in) {
  Tags tags;
  for (std::uint64_t pairs = msgpack::read_map_header(in); pairs > 0 && in.ok(); --pairs) {
    std::string key = read_string(in);
    tags[std::move(key)] = read_string(in);
  }
  return tags;
}

std::vector<std::string> read_strings(Reader& in) {
  std::vector<std::string> list;
  for (std::uint64_t left = msgpack::read_array_header(in); left > 0 && in.ok(); --left) {
    list.push_back(read_string(in));
  }
  return list;
}

MemberInfo read_member(Reader& in) {
  MemberInfo member;
  Versions& versions = member.versions;
  const std::array<std::uint8_t*, 6> numbers{
      &versions.protocol_min, &versions.protocol_max, &versions.protocol_current,
      &versions.delegate_min, &versions.delegate_max, &versions.delegate_current};
  msgpack::read_struct<member_keys>(in, [&](std::size_t field) {
    Scratch scratch;
    switch (field) {
      case 0:
        member.name = read_string(in);
        break;
      case 1:
        member.address = IpAddress(msgpack::read_bytes(in, scratch));
        break;
      case 2:
        member.port = msgpack::read_u16(in);
        break;
      case 3:
        member.tags = read_tags(in);
        break;
      case 4:
        member.status = read_string(in);
        break;
      default:
        *numbers[field - 5] = msgpack::read_u8(in);
        break;
    }
  });
  return member;
}

void append_payload(RpcWriter& out, const std::optional<std::string>& payload) {
  if (payload) {
    out.bytes(as_bytes(*payload));
  } else {
    out.nil();
  }
}
void append_payload(RpcWriter& out, const std::string& payload) {
  if (payload.empty()) return out.nil();
  out.bytes(as_bytes(payload));
}

// Everything but the tags, which are the last value.
void append_but_tags(RpcWriter& out, const MemberView& member, std::string_view status) {
  out.map(member_keys.size());
  out.text("Addr");
  out.bytes(member.endpoint.address.bytes());
  out.text("DelegateCur");
  out.number(member.versions.delegate_current);
  out.text("DelegateMax");
  out.number(member.versions.delegate_max);
  out.text("DelegateMin");
  out.number(member.versions.delegate_min);
  out.text("Name");
  out.text(member.name);
  out.text("Port");
  out.number(member.endpoint.port);
  out.text("ProtocolCur");
  out.number(member.versions.protocol_current);
  out.text("ProtocolMax");
  out.number(member.versions.protocol_max);
  out.text("ProtocolMin");
  out.number(member.versions.protocol_min);
  out.text("Status");
  out.text(status);
  out.text("Tags");
}

}  // namespace

Decoded<void> decode_into(Bytes value, RequestHeader& header) {
  Reader in(value, "rpc header");
  msgpack::read_struct<header_keys>(in, [&](std::size_t field) {
    if (field == 0) header.command = read_string(in);
    if (field == 1) header.sequence = msgpack::read_u64(in);
  });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, HandshakeRequest& request) {
  Reader in(value, "handshake");
  msgpack::read_struct<handshake_keys>(
      in, [&](std::size_t) { request.version = msgpack::read_signed(in, INT32_MIN, INT32_MAX); });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, AuthRequest& request) {
  Reader in(value, "auth");
  msgpack::read_struct<auth_keys>(in, [&](std::size_t) { request.key = read_string(in); });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, EventRequest& request) {
  Reader in(value, "event");
  msgpack::read_struct<event_keys>(in, [&](std::size_t field) {
    Scratch scratch;
    if (field == 0) request.name = read_string(in);
    if (field == 1 && !msgpack::read_nil(in)) {
      request.payload = std::string(as_text(msgpack::read_bytes(in, scratch)));
    }
    if (field == 2) request.coalesce = msgpack::read_bool(in);
  });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, ForceLeaveRequest& request) {
  Reader in(value, "force-leave");
  msgpack::read_struct<force_leave_keys>(in, [&](std::size_t field) {
    if (field == 0) request.node = read_string(in);
    if (field == 1) request.prune = msgpack::read_bool(in);
  });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, JoinRequest& request) {
  Reader in(value, "join");
  msgpack::read_struct<join_keys>(in, [&](std::size_t field) {
    if (field == 0) request.existing = read_strings(in);
    if (field == 1) request.replay = msgpack::read_bool(in);
  });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, MembersFilteredRequest& request) {
  Reader in(value, "members-filtered");
  msgpack::read_struct<members_filtered_keys>(in, [&](std::size_t field) {
    if (field == 0) request.tags = read_tags(in);
    if (field == 1) request.status = read_string(in);
    if (field == 2) request.name = read_string(in);
  });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, TagsRequest& request) {
  Reader in(value, "tags");
  msgpack::read_struct<tags_keys>(in, [&](std::size_t field) {
    if (field == 0) request.tags = read_tags(in);
    if (field == 1) request.delete_tags = read_strings(in);
  });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, HostMemberRequest& request) {
  Reader in(value, "host-member");
  msgpack::read_struct<host_member_keys>(in, [&](std::size_t field) {
    if (field == 0) request.name = read_string(in);
    if (field == 1) request.tags = read_tags(in);
    if (field == 2) request.advertise = read_string(in);
  });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, UnhostMemberRequest& request) {
  Reader in(value, "unhost-member");
  msgpack::read_struct<unhost_member_keys>(in,
                                           [&](std::size_t) { request.name = read_string(in); });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, MemberTagsRequest& request) {
  Reader in(value, "member-tags");
  msgpack::read_struct<member_tags_keys>(in, [&](std::size_t field) {
    if (field == 0) request.member = read_string(in);
    if (field == 1) request.tags = read_tags(in);
    if (field == 2) request.delete_tags = read_strings(in);
  });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, KeyRequestBody& request) {
  Reader in(value, "key request");
  msgpack::read_struct<key_keys>(in, [&](std::size_t) { request.key = read_string(in); });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, QueryRequest& request) {
  Reader in(value, "query request");
  msgpack::read_struct<query_keys>(in, [&](std::size_t field) {
    switch (field) {
      case 0:
        request.nodes = read_strings(in);
        break;
      case 1:
        request.tags = read_tags(in);
        break;
      case 2:
        request.want_acks = msgpack::read_bool(in);
        break;
      case 3:
        request.relay_factor = msgpack::read_u8(in);
        break;
      case 4:
        request.timeout_ns = msgpack::read_signed(in);
        break;
      case 5:
        request.name = read_string(in);
        break;
      default:
        request.payload = read_string(in);
        break;
    }
  });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, RespondRequest& request) {
  Reader in(value, "respond request");
  msgpack::read_struct<respond_keys>(in, [&](std::size_t field) {
    if (field == 0) request.id = msgpack::read_u64(in);
    if (field == 1) request.payload = read_string(in);
  });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, StreamRequest& request) {
  Reader in(value, "stream");
  msgpack::read_struct<stream_keys>(in, [&](std::size_t) { request.type = read_string(in); });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, MonitorRequest& request) {
  Reader in(value, "monitor");
  msgpack::read_struct<monitor_keys>(in, [&](std::size_t) { request.log_level = read_string(in); });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, StopRequest& request) {
  Reader in(value, "stop");
  msgpack::read_struct<stop_keys>(in, [&](std::size_t) { request.stop = msgpack::read_u64(in); });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, CoordinateRequest& request) {
  Reader in(value, "get-coordinate");
  msgpack::read_struct<coordinate_request_keys>(
      in, [&](std::size_t) { request.node = read_string(in); });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, ExplainRequest& request) {
  Reader in(value, "explain");
  msgpack::read_struct<coordinate_request_keys>(
      in, [&](std::size_t) { request.node = read_string(in); });
  return finish(in);
}

Decoded<void> decode_into(Bytes value, ResponseHeader& header) {
  Reader in(value, "rpc response");
  msgpack::read_struct<response_keys>(in, [&](std::size_t field) {
    if (field == 0) header.sequence = msgpack::read_u64(in);
    if (field == 1) header.error = read_string(in);
  });
  return finish(in);
}

Decoded<MemberInfo> decode_member(Bytes value) {
  Reader in(value, "member");
  MemberInfo member = read_member(in);
  if (!in.ok()) return std::unexpected(in.error());
  return member;
}

Decoded<std::int64_t> decode_join_count(Bytes value) {
  Reader in(value, "join response");
  std::int64_t count = 0;
  msgpack::read_struct<join_count_keys>(in, [&](std::size_t) { count = msgpack::read_signed(in); });
  if (!in.ok()) return std::unexpected(in.error());
  return count;
}

Decoded<KeyOutcome> decode_key_outcome(Bytes value) {
  Reader in(value, "key outcome");
  KeyOutcome outcome;
  const std::array<std::uint64_t*, 3> numbers{&outcome.num_nodes, &outcome.num_err,
                                              &outcome.num_resp};
  msgpack::read_struct<key_outcome_keys>(in, [&](std::size_t field) {
    if (field == 0) {
      outcome.messages = read_tags(in);
    } else if (field == 1) {
      outcome.keys.emplace();
      for (std::uint64_t pairs = msgpack::read_map_header(in); pairs > 0 && in.ok(); --pairs) {
        std::string key = read_string(in);
        (*outcome.keys)[std::move(key)] = msgpack::read_u64(in);
      }
    } else {
      *numbers[field - 2] = msgpack::read_u64(in);
    }
  });
  if (!in.ok()) return std::unexpected(in.error());
  return outcome;
}

Decoded<Stats> decode_stats(Bytes value) {
  Reader in(value, "stats");
  Stats stats;
  for (std::uint64_t pairs = msgpack::read_map_header(in); pairs > 0 && in.ok(); --pairs) {
    std::string key = read_string(in);
    stats[std::move(key)] = read_tags(in);
  }
  if (!in.ok()) return std::unexpected(in.error());
  return stats;
}

Decoded<std::string> decode_log_record(Bytes value) {
  Reader in(value, "log record");
  std::string line;
  msgpack::read_struct<log_keys>(in, [&](std::size_t) { line = read_string(in); });
  if (!in.ok()) return std::unexpected(in.error());
  return line;
}

Decoded<std::optional<Coordinate>> decode_coordinate(Bytes value) {
  Reader in(value, "get-coordinate answer");
  Coordinate coordinate;
  bool known = false, whole = false;
  const auto read_coordinate = [&](std::size_t field) {
    switch (field) {
      case 0: {
        const std::uint64_t count = msgpack::read_array_header(in);
        whole = count == coordinate.vector.size();
        for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
          const double part = msgpack::read_float64(in);
          if (i < coordinate.vector.size()) coordinate.vector[i] = part;
        }
        return;
      }
      case 1:
        coordinate.error = msgpack::read_float64(in);
        return;
      case 2:
        coordinate.adjustment = msgpack::read_float64(in);
        return;
      default:
        coordinate.height = msgpack::read_float64(in);
        return;
    }
  };
  msgpack::read_struct<coordinate_answer_keys>(in, [&](std::size_t field) {
    if (field == 1) {
      known = msgpack::read_bool(in);
    } else {
      msgpack::read_struct<coordinate_keys>(in, read_coordinate);
    }
  });
  in.set_field("Vec");
  if (known && !whole) in.fail(WireFault::out_of_range);
  if (!in.ok()) return std::unexpected(in.error());
  return known ? std::optional(coordinate) : std::nullopt;
}

Decoded<QueryRecord> decode_query_record(Bytes value) {
  Reader in(value, "query record");
  QueryRecord record;
  msgpack::read_struct<query_record_keys>(in, [&](std::size_t field) {
    if (field == 0) record.type = read_string(in);
    if (field == 1) record.from = read_string(in);
    if (field == 2) record.payload = read_string(in);
  });
  if (!in.ok()) return std::unexpected(in.error());
  return record;
}

void append(std::string& out, const RequestHeader& header) {
  RpcWriter writer(out);
  writer.map(2);
  writer.text("Command");
  writer.text(header.command);
  writer.text("Seq");
  writer.number(header.sequence);
}

void append(std::string& out, const HandshakeRequest& request) {
  RpcWriter writer(out);
  writer.map(1);
  writer.text("Version");
  writer.signed_number(request.version);
}

void append(std::string& out, const AuthRequest& request) {
  RpcWriter writer(out);
  writer.map(1);
  writer.text("AuthKey");
  writer.text(request.key);
}

void append(std::string& out, const EventRequest& request) {
  RpcWriter writer(out);
  writer.map(3);
  writer.text("Coalesce");
  writer.boolean(request.coalesce);
  writer.text("Name");
  writer.text(request.name);
  writer.text("Payload");
  append_payload(writer, request.payload);
}

void append(std::string& out, const ForceLeaveRequest& request) {
  RpcWriter writer(out);
  writer.map(2);
  writer.text("Node");
  writer.text(request.node);
  writer.text("Prune");
  writer.boolean(request.prune);
}

void append(std::string& out, const JoinRequest& request) {
  RpcWriter writer(out);
  writer.map(2);
  writer.text("Existing");
  writer.texts(request.existing);
  writer.text("Replay");
  writer.boolean(request.replay);
}

void append(std::string& out, const MembersFilteredRequest& request) {
  RpcWriter writer(out);
  writer.map(3);
  writer.text("Name");
  writer.text(request.name);
  writer.text("Status");
  writer.text(request.status);
  writer.text("Tags");
  writer.tags(request.tags);
}

void append(std::string& out, const TagsRequest& request) {
  RpcWriter writer(out);
  writer.map(2);
  writer.text("DeleteTags");
  if (request.delete_tags.empty()) {
    writer.nil();
  } else {
    writer.texts(request.delete_tags);
  }
  writer.text("Tags");
  writer.tags(request.tags);
}

void append(std::string& out, const HostMemberRequest& request) {
  RpcWriter writer(out);
  writer.map(3);
  writer.text("Advertise");
  writer.text(request.advertise);
  writer.text("Name");
  writer.text(request.name);
  writer.text("Tags");
  writer.tags(request.tags);
}

void append(std::string& out, const UnhostMemberRequest& request) {
  RpcWriter writer(out);
  writer.map(1);
  writer.text("Name");
  writer.text(request.name);
}

void append(std::string& out, const MemberTagsRequest& request) {
  RpcWriter writer(out);
  writer.map(3);
  writer.text("DeleteTags");
  writer.texts(request.delete_tags);
  writer.text("Member");
  writer.text(request.member);
  writer.text("Tags");
  writer.tags(request.tags);
}

void append(std::string& out, const QueryRequest& request) {
  RpcWriter writer(out);
  writer.map(7);
  writer.text("FilterNodes");
  if (request.nodes.empty()) {
    writer.nil();
  } else {
    writer.texts(request.nodes);
  }
  writer.text("FilterTags");
  if (request.tags) {
    writer.tags(*request.tags);
  } else {
    writer.nil();
  }
  writer.text("Name");
  writer.text(request.name);
  writer.text("Payload");
  append_payload(writer, request.payload);
  writer.text("RelayFactor");
  writer.number(request.relay_factor);
  writer.text("RequestAck");
  writer.boolean(request.want_acks);
  writer.text("Timeout");
  writer.signed_number(request.timeout_ns);
}

void append(std::string& out, const RespondRequest& request) {
  RpcWriter writer(out);
  writer.map(2);
  writer.text("ID");
  writer.number(request.id);
  writer.text("Payload");
  append_payload(writer, request.payload);
}

void append(std::string& out, const StreamRequest& request) {
  RpcWriter writer(out);
  writer.map(1);
  writer.text("Type");
  writer.text(request.type);
}

void append(std::string& out, const MonitorRequest& request) {
  RpcWriter writer(out);
  writer.map(1);
  writer.text("LogLevel");
  writer.text(request.log_level);
}

void append(std::string& out, const StopRequest& request) {
  RpcWriter writer(out);
  writer.map(1);
  writer.text("Stop");
  writer.number(request.stop);
}

void append(std::string& out, const CoordinateRequest& request) {
  RpcWriter writer(out);
  writer.map(1);
  writer.text("Node");
  writer.text(request.node);
}

void append(std::string& out, const ExplainRequest& request) {
  RpcWriter writer(out);
  writer.map(1);
  writer.text("Node");
  writer.text(request.node);
}

void append(std::string& out, const ResponseHeader& header) {
  RpcWriter writer(out);
  writer.map(2);
  writer.text("Error");
  writer.text(header.error);
  writer.text("Seq");
  writer.number(header.sequence);
}

void append_members_header(std::string& out, std::size_t count) {
  RpcWriter writer(out);
  writer.map(1);
  writer.text("Members");
  writer.array(count);
}

void append_member(std::string& out, const MemberView& member) {
  RpcWriter writer(out);
  append_but_tags(writer, member, to_text(member.status));
  out += member.tags;
}

void append_join_count(std::string& out, std::size_t count) {
  RpcWriter writer(out);
  writer.map(1);
  writer.text("Num");
  writer.number(count);
}

void append_stats(std::string& out, const Stats& stats) {
  RpcWriter writer(out);
  writer.map(stats.size());
  for (const auto& [key, values] : stats) {
    writer.text(key);
    writer.tags(values);
  }
}

void append(std::string& out, const KeyRequestBody& request) {
  RpcWriter writer(out);
  writer.map(1);
  writer.text("Key");
  writer.text(request.key);
}

void append(std::string& out, const KeyOutcome& outcome) {
  RpcWriter writer(out);
  writer.map(key_outcome_keys.size());
  writer.text("Keys");
  if (outcome.keys) {
    writer.map(outcome.keys->size());
    for (const auto& [key, count] : *outcome.keys) {
      writer.text(key);
      writer.number(count);
    }
  } else {
    writer.nil();
  }
  writer.text("Messages");
  writer.tags(outcome.messages);
  writer.text("NumErr");
  writer.number(outcome.num_err);
  writer.text("NumNodes");
  writer.number(outcome.num_nodes);
  writer.text("NumResp");
  writer.number(outcome.num_resp);
}

void append_log_record(std::string& out, std::string_view line) {
  RpcWriter writer(out);
  writer.map(1);
  writer.text("Log");
  writer.text(line);
}

void append_coordinate(std::string& out, const std::optional<Coordinate>& known) {
  const Coordinate zero{.vector = {}, .error = 0, .adjustment = 0, .height = 0};
  const Coordinate& shown = known ? *known : zero;
  RpcWriter writer(out);
  writer.map(2);
  writer.text("Coord");
  writer.map(4);
  writer.text("Adjustment");
  writer.floating(shown.adjustment);
  writer.text("Error");
  writer.floating(shown.error);
  writer.text("Height");
  writer.floating(shown.height);
  writer.text("Vec");
  if (known) {
    writer.array(shown.vector.size());
    for (const double part : shown.vector) writer.floating(part);
  } else {
    writer.nil();
  }
  writer.text("Ok");
  writer.boolean(known.has_value());
}

void append(std::string& out, const UserEventRecord& record) {
  RpcWriter writer(out);
  writer.map(5);
  writer.text("Coalesce");
  writer.boolean(record.coalesce);
  writer.text("Event");
  writer.text("user");
  writer.text("LTime");
  writer.number(record.time);
  writer.text("Name");
  writer.text(record.name);
  writer.text("Payload");
  append_payload(writer, record.payload);
}

void append(std::string& out, const QueryEventRecord& record) {
  RpcWriter writer(out);
  writer.map(5);
  writer.text("Event");
  writer.text("query");
  writer.text("ID");
  writer.number(record.id);
  writer.text("LTime");
  writer.number(record.time);
  writer.text("Name");
  writer.text(record.name);
  writer.text("Payload");
  append_payload(writer, record.payload);
}

void append(std::string& out, const QueryRecord& record) {
  RpcWriter writer(out);
  writer.map(3);
  writer.text("From");
  writer.text(record.from);
  writer.text("Payload");
  append_payload(writer, record.payload);
  writer.text("Type");
  writer.text(record.type);
}

void append(std::string& out, const MemberEventRecord& record) {
  RpcWriter writer(out);
  writer.map(2);
  writer.text("Event");
  writer.text(record.event);
  writer.text("Members");
  writer.array(record.members.size());
  for (const MemberInfo& member : record.members) {
    const MemberView view{.name = member.name,
                          .endpoint = {member.address, member.port},
                          .versions = member.versions,
                          .tags = {}};
    append_but_tags(writer, view, member.status);
    writer.tags(member.tags);
  }
}

}  // namespace starling::agent
