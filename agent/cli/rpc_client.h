// The command line's side of the RPC: one connection, requests answered in order, records between.
//
// protocol/serf section 17. Blocking, for one thread. Dialling and each write have 10 seconds;
// there is no limit on waiting for an answer, since a join or a leave may take long. Errors are the
// texts that Serf's commands print after their own words; a connection closed by the agent is
// "client closed".
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "agent/key_change.h"
#include "agent/rpc_messages.h"

namespace starling::agent::cli {

class RpcClient {
 public:
  // Dials, shakes hands and, with a token, authenticates.
  static std::expected<RpcClient, std::string> connect(std::string_view address,
                                                       std::string_view token);
  ~RpcClient();
  RpcClient(RpcClient&& other) noexcept;
  RpcClient& operator=(RpcClient&& other) noexcept;

  // A list is read while it arrives: on_member is called once a member, in the order sent. After an
  // error some may have come already.
  using OnMember = std::function<void(MemberInfo&&)>;
  std::expected<void, std::string> members_filtered(const MembersFilteredRequest& filter,
                                                    const OnMember& on_member);
  std::expected<void, std::string> members(const OnMember& on_member);
  std::expected<void, std::string> hosted(const OnMember& on_member);
  std::expected<void, std::string> event(const EventRequest& request);
  std::expected<void, std::string> force_leave(const ForceLeaveRequest& request);
  std::expected<std::int64_t, std::string> join(const JoinRequest& request);
  std::expected<void, std::string> leave();
  std::expected<void, std::string> tags(const TagsRequest& request);
  std::expected<void, std::string> member_tags(const MemberTagsRequest& request);
  std::expected<void, std::string> host_member(const HostMemberRequest& request);
  std::expected<void, std::string> unhost_member(const UnhostMemberRequest& request);
  std::expected<Stats, std::string> stats();
  // Sections of keys and texts, see agent/explain.h.
  std::expected<Stats, std::string> explain(const ExplainRequest& request);
  // nullopt: the agent has no coordinate of this member.
  std::expected<std::optional<Coordinate>, std::string> coordinate(
      const CoordinateRequest& request);
  // The outcome tells what single members said, also when the whole failed: `error` then.
  struct KeysAnswer {
    KeyOutcome outcome;
    std::string error;
  };
  std::expected<KeysAnswer, std::string> change_keys(KeyChange change, const std::string& key);
  std::expected<KeysAnswer, std::string> list_keys();
  // The subscription's sequence number; its records come from next_record().
  std::expected<std::uint64_t, std::string> stream(const StreamRequest& request);
  std::expected<std::uint64_t, std::string> monitor(const MonitorRequest& request);
  // Its records are QueryRecords, the last one of type "done".
  std::expected<std::uint64_t, std::string> query(const QueryRequest& request);
  std::expected<void, std::string> respond(const RespondRequest& request);
  std::expected<void, std::string> stop(std::uint64_t subscription);

  struct Record {
    std::uint64_t subscription = 0;
    std::string body;  // one encoded value
  };
  // Waits for a record of any subscription, or until `interrupt` (a file descriptor, or -1) becomes
  // readable: nullopt then.
  std::expected<std::optional<Record>, std::string> next_record(int interrupt);

 private:
  enum class Body : std::uint8_t { none, present };
  struct Answer {
    std::string error;
    std::string body;
  };

  explicit RpcClient(int socket) : socket_(socket) {}
  template <class Request>
  std::expected<Answer, std::string> call(std::string_view command, const Request& request,
                                          Body body);
  template <class Request>
  std::expected<void, std::string> call_plain(std::string_view command, const Request& request);
  template <class Request>
  std::expected<KeysAnswer, std::string> call_keys(std::string_view command,
                                                   const Request& request);
  template <class Request>
  std::expected<void, std::string> list(std::string_view command, const Request& request,
                                        const OnMember& on_member);
  template <class Request>
  std::expected<std::uint64_t, std::string> subscribe(std::string_view command,
                                                      const Request& request);
  std::expected<void, std::string> send(std::string_view bytes);
  // One whole msgpack value; nullopt when interrupted.
  std::expected<std::optional<std::string>, std::string> receive(int interrupt);
  std::expected<std::optional<ResponseHeader>, std::string> receive_header(int interrupt);
  // Waits for more bytes from the agent; false when interrupted.
  std::expected<bool, std::string> receive_more(int interrupt);
  std::string_view received() const { return std::string_view(received_).substr(taken_); }

  int socket_ = -1;
  std::uint64_t sequence_ = 0;
  std::string received_;
  std::size_t taken_ = 0;  // of received_
  std::set<std::uint64_t> subscriptions_;
  std::deque<Record> records_;
};

}  // namespace starling::agent::cli
