// The messages of Serf's msgpack RPC, both directions. protocol/serf section 17.
//
// A request is a header and, for most commands, a body; a response is a header and, for some
// commands, a body; a record is a header with the subscription's sequence and a body. The server
// side decodes requests and encodes responses, the client side the other way round. Decoders take
// exactly one whole value (the caller finds its end with ValueScanner) and are as lenient as Go's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/member_info.h"
#include "wire/base/types.h"

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
struct StreamRequest {
  std::string type;
};
struct MonitorRequest {
  std::string log_level;
};
struct StopRequest {
  std::uint64_t stop = 0;
};

struct ResponseHeader {
  std::string error;  // empty: success
  std::uint64_t sequence = 0;
};
using Stats = std::map<std::string, Tags>;
struct UserEventRecord {
  std::uint64_t time = 0;
  std::string name;
  std::string payload;
  bool coalesce = false;
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
Decoded<void> decode_into(Bytes value, StreamRequest& request);
Decoded<void> decode_into(Bytes value, MonitorRequest& request);
Decoded<void> decode_into(Bytes value, StopRequest& request);

Decoded<void> decode_into(Bytes value, ResponseHeader& header);
Decoded<std::vector<MemberInfo>> decode_members(Bytes value);
Decoded<std::int64_t> decode_join_count(Bytes value);
Decoded<Stats> decode_stats(Bytes value);
Decoded<std::string> decode_log_record(Bytes value);

void append(std::string& out, const RequestHeader& header);
void append(std::string& out, const HandshakeRequest& request);
void append(std::string& out, const AuthRequest& request);
void append(std::string& out, const EventRequest& request);
void append(std::string& out, const ForceLeaveRequest& request);
void append(std::string& out, const JoinRequest& request);
void append(std::string& out, const MembersFilteredRequest& request);
void append(std::string& out, const TagsRequest& request);
void append(std::string& out, const StreamRequest& request);
void append(std::string& out, const MonitorRequest& request);
void append(std::string& out, const StopRequest& request);

void append(std::string& out, const ResponseHeader& header);
void append_members(std::string& out, const std::vector<const MemberInfo*>& members);
void append_join_count(std::string& out, std::size_t count);
void append_stats(std::string& out, const Stats& stats);
void append_log_record(std::string& out, std::string_view line);
void append(std::string& out, const UserEventRecord& record);
void append(std::string& out, const MemberEventRecord& record);

}  // namespace starling::agent
