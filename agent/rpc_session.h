// One RPC client's conversation: requests in, responses and records out, without a socket.
//
// protocol/serf section 17. Requests are executed strictly in order: while one is pending, the
// following ones wait in the buffer. What the agent does for clients is given as an RpcBackend of
// functions. Owned by RpcServer (shared, because pending commands hold on to it); control thread
// only.
//
// A list of members is written while it is sent: the members mirror holds on to the rows that were
// wanted (4 bytes each), and the session encodes the next ones when there is room. Records of
// streams and monitors wait until the list is complete, since they must not stand inside it.
//
// A client may answer a query it was shown in a stream until the query's deadline, by a number of
// this connection.
//
// Bounds: a request of RpcBackend::request_bytes_max, nested msgpack_nesting_max deep; records are
// dropped while output_bytes_max wait to be sent; further requests are not taken then either. A
// list adds at most listing_bytes_max, and one member, to what waits. Of the queries shown, the
// last answerable_max may be answered; how many the client has open is bounded by the engine. It
// may have streams_max streams.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/event_filter.h"
#include "agent/handler_event.h"
#include "agent/key_change.h"
#include "agent/log.h"
#include "agent/log_limiter.h"
#include "agent/members_mirror.h"
#include "agent/query_desk.h"
#include "agent/rpc_messages.h"
#include "wire/value_scanner.h"

namespace starling::agent {

// What the agent does for its clients. Each function calls `done` exactly once, at once or later;
// an empty error is success.
struct RpcBackend {
  using Done = std::function<void(const std::string& error)>;
  std::string auth_token;
  Log* log = nullptr;
  LogLimiter* limiter = nullptr;             // of what clients cause; none: every line is written
  std::size_t request_bytes_max = 1U << 20;  // a header or a body
  MembersMirror* members = nullptr;
  std::function<void(const EventRequest&, Done)> event;
  std::function<void(const ForceLeaveRequest&, Done)> force_leave;
  std::function<void(const JoinRequest&, std::function<void(std::size_t, const std::string&)>)>
      join;
  std::function<void(const TagsRequest&, Done)> tags;
  std::function<void(const HostMemberRequest&, Done)> host_member;
  std::function<void(const UnhostMemberRequest&, Done)> unhost_member;
  std::function<void(const MemberTagsRequest&, Done)> member_tags;
  std::function<bool(std::string_view name)> hosts;  // besides the agent's own member
  std::function<void(std::function<void(const Stats&)>)> stats;
  using CoordinateDone = std::function<void(const std::optional<Coordinate>& known)>;
  std::function<void(const CoordinateRequest&, CoordinateDone)> coordinate;
  // Why a member is in its state; an error for a name that nobody knows.
  using ExplainDone = std::function<void(const Stats&, const std::string& error)>;
  std::function<void(const ExplainRequest&, ExplainDone)> explain;
  std::function<void(Done)> leave;
  std::function<void(std::string_view metric)> count;  // one more; may be empty
  // What happened to the cluster's keys, beside an error as well.
  using KeysDone = std::function<void(const KeyOutcome&, const std::string& error)>;
  std::function<void(KeyChange, const std::string& key, KeysDone)> change_keys;
  std::function<void(KeysDone)> list_keys;
  // Asks the cluster; the callbacks come after `done` without an error.
  std::function<QueryTicket(const QueryRequest&, QueryCallbacks, Done)> query;
  std::function<void(QueryTicket)> forget_query;  // nobody waits for its records any longer
  // Answers HandlerEvent::query.
  std::function<void(std::uint64_t query, std::string payload, Done)> respond;
};

// How fast tokens from where the client is may be tried; see TokenGuesses. Functions may be empty.
struct TokenPace {
  // Calls `compare` at once or after a wait. Until then the client's further requests wait.
  std::function<void(std::function<void()> compare)> hold;
  std::function<void()> right;  // the token was
};

class RpcSession : public std::enable_shared_from_this<RpcSession> {
 public:
  static constexpr std::size_t output_bytes_max = 8U << 20;
  static constexpr std::size_t listing_bytes_max = 64U << 10;
  static constexpr std::size_t answerable_max = 1024;
  static constexpr std::size_t streams_max = 128;
  static constexpr std::size_t stream_filters_max = 256;  // of one stream

  // `peer` names the client in the log; `on_output` is called when there is something to send or
  // the session wants to be closed. It must not call back.
  RpcSession(const RpcBackend& backend, std::string peer, std::function<void()> on_output,
             TokenPace pace = {})
      : backend_(backend),
        peer_(std::move(peer)),
        on_output_(std::move(on_output)),
        pace_(std::move(pace)) {}
  ~RpcSession();
  RpcSession(const RpcSession&) = delete;
  RpcSession& operator=(const RpcSession&) = delete;

  // Bytes from the client.
  void receive(std::string_view bytes);
  // An event of the pipeline: goes to every stream that wants it. `coalesce` is shown of user
  // events.
  void publish(const HandlerEvent& event, bool coalesce);

  // What waits to be sent; the server takes bytes from the front with sent().
  std::string_view output() const { return std::string_view(output_).substr(output_sent_); }
  void sent(std::size_t bytes);

  // A request is pending, a list is being sent, or too much output waits: do not read on.
  bool busy() const { return pending_ || listing_ || output().size() >= output_bytes_max; }
  // The client has shaken hands and, where a token is wanted, shown it.
  bool introduced() const { return handshaken_ && (backend_.auth_token.empty() || authenticated_); }
  // A part of a request is here and nothing but its rest can move it on.
  bool half_request() const { return !busy() && (awaiting_body_ || !input_.empty()); }
  // Requests that came whole so far.
  std::uint64_t requests_taken() const { return requests_taken_; }
  // The server ends the connection; `why` is for the log.
  void cut_off(std::string_view why) { close(why); }
  // Close the connection once the output is sent.
  bool closing() const { return closing_; }
  const std::string& peer() const { return peer_; }

 private:
  struct Stream {
    std::uint64_t sequence;
    std::vector<EventFilter> filters;
  };
  void process();
  void on_header(std::string_view value);
  void execute(std::string_view body);
  void respond(std::string_view error);
  void add_record(std::uint64_t sequence, const std::function<void(std::string&)>& append_body);
  void close(std::string_view why);
  bool may_log(std::string_view kind) const;
  // Marks a request as pending; the returned function ends it with its response.
  RpcBackend::Done begin();
  template <class Respond>
  auto later(Respond respond);

  void handshake(const HandshakeRequest& request);
  void auth(const AuthRequest& request);
  void compare_token(std::string_view key);
  void members_filtered(const MembersFilteredRequest& request);
  void answer_with(MembersMirror::Listing listing);
  void continue_listing();
  void join(const JoinRequest& request);
  void stream(const StreamRequest& request);
  void monitor(const MonitorRequest& request);
  void stop(const StopRequest& request);
  void query(const QueryRequest& request);
  void answer(const RespondRequest& request);
  void add_query_record(std::uint64_t sequence, const QueryRecord& record);
  void forget_queries();
  void show_query(const Stream& stream, const HandlerEvent& event);
  void stats();
  void coordinate(const CoordinateRequest& request);
  void explain(const ExplainRequest& request);
  void change_keys(const KeyRequestBody& request);
  RpcBackend::KeysDone keys_done();
  template <class Request, class Execute>
  void with_body(std::string_view body, Execute&& execute);

  const RpcBackend& backend_;
  std::string peer_;
  std::function<void()> on_output_;
  TokenPace pace_;

  std::string input_;
  std::size_t scanned_ = 0;
  std::uint64_t requests_taken_ = 0;
  ValueScanner scanner_;
  bool awaiting_body_ = false;
  bool processing_ = false;
  bool pending_ = false;
  bool closing_ = false;

  RequestHeader header_;  // kept between requests, as Serf does
  bool handshaken_ = false;
  bool authenticated_ = false;

  std::string output_;
  std::size_t output_sent_ = 0;
  std::uint64_t dropped_ = 0;
  std::optional<MembersMirror::Listing> listing_;  // the list that is being sent
  std::string held_back_;                          // records for after the list

  struct ShownQuery {
    std::uint64_t query;
    Instant deadline;
  };
  std::map<std::uint64_t, QueryTicket> queries_;  // open ones, by a number of ours
  std::uint64_t last_query_ = 0;
  std::map<std::uint64_t, ShownQuery> shown_;  // queries in streams, by the client's number
  std::uint64_t last_shown_ = 0;

  std::vector<Stream> streams_;
  std::uint64_t monitor_sequence_ = 0;
  Log::ListenerId monitor_ = 0;  // 0: none
};

}  // namespace starling::agent
