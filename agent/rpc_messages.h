// The messages of Serf's msgpack RPC, both directions. protocol/serf section 17.
//
// A request is a header and, for most commands, a body; a response is a header and, for some
// commands, a body; a record is a header with the subscription's sequence and a body. The server
// side decodes requests and encodes responses, the client side the other way round. Decoders take
// exactly one whole value (the caller finds its end with ValueScanner) and are as lenient as Go's.
// A list of members may be long: it is written member by member, and MembersDecoder
// (members_decoder.h) reads it so.
//
// Five commands are our own; Serf's agent answers them with "Unsupported command". Header and
// sequence are as in all others:
//   host-member    {"Name", "Tags", "Advertise"}       answered when the member is alive here
//   unhost-member  {"Name"}                            answered when it has left
//   member-tags    {"Member", "Tags", "DeleteTags"}    as tags, for one hosted member
//   hosted         no body                             answered as members
//   explain        {"Node"}                            answered as stats: see agent/explain.h
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/member_info.h"
#include "wire/base/types.h"
#include "wire/ping_payload.h"

namespace starling::agent {

struct RequestHeader {
  std::string command;
  std::uint64_t sequence = 0;
};

struct HandshakeRequest {
  std::int64_t version = 0;
};
struct AuthRequest {
  std::string key;
};
struct EventRequest {
  std::string name;
  std::optional<std::string> payload;  // absent is sent as nil
  bool coalesce = false;
};
struct ForceLeaveRequest {
  std::string node;
  bool prune = false;
};
struct JoinRequest {
  std::vector<std::string> existing;
  bool replay = false;
};
struct MembersFilteredRequest {
  std::string name;
  std::string status;
  Tags tags;
};
struct TagsRequest {
  Tags tags;
  std::vector<std::string> delete_tags;  // empty is sent as nil
};
struct HostMemberRequest {
  std::string name;
  Tags tags;
  std::string advertise;  // ip or ip:port; empty: as the agent's own
};
struct UnhostMemberRequest {
  std::string name;
};
struct MemberTagsRequest {
  std::string member;
  Tags tags;
  std::vector<std::string> delete_tags;
};
// Of install-key, use-key and remove-key; list-keys has no body.
struct KeyRequestBody {
  std::string key;  // base64
};
struct QueryRequest {
  std::string name;
  std::optional<std::string> payload;  // absent is sent as nil
  std::vector<std::string> nodes;      // empty is sent as nil
  std::optional<Tags> tags;            // absent is sent as nil
  std::int64_t timeout_ns = 0;
  std::uint64_t relay_factor = 0;
  bool want_acks = false;
};
struct RespondRequest {
  std::uint64_t id = 0;
  std::optional<std::string> payload;
};
struct StreamRequest {
  std::string type;
};
struct MonitorRequest {
  std::string log_level;
};
struct StopRequest {
  std::uint64_t stop = 0;
};

struct CoordinateRequest {
  std::string node;
};
struct ExplainRequest {
  std::string node;
};

struct ResponseHeader {
  std::string error;  // empty: success
  std::uint64_t sequence = 0;
};
// What the members said to a change of keys or to list-keys; sent beside an error, too.
struct KeyOutcome {
  std::optional<std::map<std::string, std::uint64_t>> keys;  // base64 -> members; list-keys only
  Tags messages;                                             // by member
  std::uint64_t num_err = 0, num_nodes = 0, num_resp = 0;
};
using Stats = std::map<std::string, Tags>;
struct UserEventRecord {
  std::uint64_t time = 0;
  std::string name;
  std::string payload;
  bool coalesce = false;
};
// A query in a stream; `id` is what the client answers to.
struct QueryEventRecord {
  std::uint64_t id = 0;
  std::uint64_t time = 0;
  std::string name;
  std::string payload;
};
// What a query of the client brings: "ack", "response", and "done" at the end.
struct QueryRecord {
  std::string from;
  std::string payload;  // empty is sent as nil
  std::string type;
};
struct MemberEventRecord {
  std::string event;
  std::vector<MemberInfo> members;
};

// Keys that `value` lacks keep what `header` held before, as Serf does.
Decoded<void> decode_into(Bytes value, RequestHeader& header);
Decoded<void> decode_into(Bytes value, HandshakeRequest& request);
Decoded<void> decode_into(Bytes value, AuthRequest& request);
Decoded<void> decode_into(Bytes value, EventRequest& request);
Decoded<void> decode_into(Bytes value, ForceLeaveRequest& request);
Decoded<void> decode_into(Bytes value, JoinRequest& request);
Decoded<void> decode_into(Bytes value, MembersFilteredRequest& request);
Decoded<void> decode_into(Bytes value, TagsRequest& request);
Decoded<void> decode_into(Bytes value, HostMemberRequest& request);
Decoded<void> decode_into(Bytes value, UnhostMemberRequest& request);
Decoded<void> decode_into(Bytes value, MemberTagsRequest& request);
Decoded<void> decode_into(Bytes value, KeyRequestBody& request);
Decoded<void> decode_into(Bytes value, QueryRequest& request);
Decoded<void> decode_into(Bytes value, RespondRequest& request);
Decoded<void> decode_into(Bytes value, StreamRequest& request);
Decoded<void> decode_into(Bytes value, MonitorRequest& request);
Decoded<void> decode_into(Bytes value, StopRequest& request);

Decoded<void> decode_into(Bytes value, CoordinateRequest& request);
Decoded<void> decode_into(Bytes value, ExplainRequest& request);

Decoded<void> decode_into(Bytes value, ResponseHeader& header);
// One element of the array that append_members_header announces.
Decoded<MemberInfo> decode_member(Bytes value);
Decoded<std::int64_t> decode_join_count(Bytes value);
Decoded<Stats> decode_stats(Bytes value);
Decoded<KeyOutcome> decode_key_outcome(Bytes value);
Decoded<std::string> decode_log_record(Bytes value);
// nullopt: the agent has none of this member.
Decoded<std::optional<Coordinate>> decode_coordinate(Bytes value);
Decoded<QueryRecord> decode_query_record(Bytes value);

void append(std::string& out, const RequestHeader& header);
void append(std::string& out, const HandshakeRequest& request);
void append(std::string& out, const AuthRequest& request);
void append(std::string& out, const EventRequest& request);
void append(std::string& out, const ForceLeaveRequest& request);
void append(std::string& out, const JoinRequest& request);
void append(std::string& out, const MembersFilteredRequest& request);
void append(std::string& out, const TagsRequest& request);
void append(std::string& out, const HostMemberRequest& request);
void append(std::string& out, const UnhostMemberRequest& request);
void append(std::string& out, const MemberTagsRequest& request);
void append(std::string& out, const KeyRequestBody& request);
void append(std::string& out, const QueryRequest& request);
void append(std::string& out, const RespondRequest& request);
void append(std::string& out, const StreamRequest& request);
void append(std::string& out, const MonitorRequest& request);
void append(std::string& out, const StopRequest& request);
void append(std::string& out, const CoordinateRequest& request);
void append(std::string& out, const ExplainRequest& request);

void append(std::string& out, const ResponseHeader& header);
// A body of `count` members, which must follow.
void append_members_header(std::string& out, std::size_t count);
void append_member(std::string& out, const MemberView& member);
void append_join_count(std::string& out, std::size_t count);
void append_stats(std::string& out, const Stats& stats);
void append(std::string& out, const KeyOutcome& outcome);
void append_log_record(std::string& out, std::string_view line);
void append_coordinate(std::string& out, const std::optional<Coordinate>& known);
void append(std::string& out, const UserEventRecord& record);
void append(std::string& out, const QueryEventRecord& record);
void append(std::string& out, const QueryRecord& record);
void append(std::string& out, const MemberEventRecord& record);

}  // namespace starling::agent
