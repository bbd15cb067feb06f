// Where queries are asked and answered: by RPC clients, by handlers, by the agent itself.
//
// protocol/serf sections 10 and 11. The engine sends queries, collects acks and responses and
// reports the queries that are for this node; the desk brings each report to whoever waits for it.
// Tag filters are judged here, where RE2 is: the engine asks, and acks go out from here then.
//
// Names that start with `_serf_` are the cluster's own: they go to the responder registered for
// them, and never to handlers or clients. Owned by the agent; everything is called on the control
// thread, callbacks included. Bounds: the engine's (CapacityOptions::open_queries_max,
// answerable_queries_max); the desk holds one entry for each open query and nothing for seen ones.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/engine_host.h"
#include "agent/log.h"
#include "agent/member_info.h"
#include "agent/members_mirror.h"

namespace starling::agent {

inline constexpr std::string_view internal_query_prefix = "_serf_";

// A question to the cluster.
struct QueryParams {
  std::string name;
  std::string payload;
  std::vector<std::string> nodes;  // only these; empty: everybody
  Tags tags;                       // only members whose tags match these expressions
  Duration timeout{};              // zero: by Serf's formula, see core/shard/query_turn.h
  bool want_acks = false;
  std::uint8_t relay_factor = 0;
};

// What comes back. Any may be empty. on_done is called once, when the deadline has passed, and is
// the last call; unless the query was refused: then none is called.
struct QueryCallbacks {
  std::function<void(std::string_view from)> on_ack;
  std::function<void(std::string_view from, std::string_view payload)> on_response;
  std::function<void()> on_done;
};

// Names an open query. Zero is none.
using QueryTicket = std::uint64_t;

// A query that has reached this node and is for it.
struct SeenQuery {
  std::uint64_t number = 0;  // what the engine knows it by
  LamportTime time{};
  std::uint32_t id = 0;
  Endpoint source;  // who asks, and where the answer goes
  std::string source_node;
  Instant deadline{};
  std::string name;
  std::string payload;
  std::uint32_t flags = 0;  // Query::flag_*
};

class QueryDesk {
 public:
  using Done = std::function<void(const std::string& error)>;  // empty: success

  // Answers one seen query. A copyable value; must not be used after the desk has gone.
  class Responder {
   public:
    Responder(QueryDesk& desk, const SeenQuery& query)
        : desk_(&desk), number_(query.number), time_(query.time), id_(query.id) {}
    // At most one answer for each query, before its deadline. `done` may be empty; its error is
    // Serf's, e.g. "failed to respond to key query: response already sent".
    void operator()(std::string payload, Done done = {}) const;
    // The same answer from every member hosted here, each in its own name: for queries in which
    // the asker counts members. What goes wrong is not told.
    void for_everybody(const std::string& payload) const;
    // The same without the agent's own member, and without the one called `but`.
    void for_hosted(const std::string& payload, std::string_view but = {}) const;
    // True when an answer with so many bytes is within the response size limit, whoever of the
    // members hosted here gives it.
    bool fits(std::size_t payload_bytes) const;

   private:
    QueryDesk* desk_;
    std::uint64_t number_;
    LamportTime time_;
    std::uint32_t id_;
  };
  using InternalResponder = std::function<void(const SeenQuery&, Responder)>;

  struct Options {
    std::string own_name;
    int protocol = 5;  // Serf's; queries need 4
    // The engine's own limits, for Responder::fits and for what is longer than any command.
    std::size_t query_bytes_max = 1024;
    std::size_t response_bytes_max = 1024;
    // Names of the members that the engine hosts besides the agent's own. May be empty.
    std::function<std::vector<std::string>()> hosted;
  };
  // `on_query` gets every query that is for this node, but for the internal ones. Tags are looked
  // up in `members`.
  QueryDesk(EngineHost& engine, const MembersMirror& members, Log& log, Options options,
            std::function<void(SeenQuery)> on_query);
  QueryDesk(const QueryDesk&) = delete;
  QueryDesk& operator=(const QueryDesk&) = delete;

  // Asks. `asked` is called first, once, with Serf's error or none, perhaps within this call.
  // Internal names are allowed here; clients go through problem_with_name first.
  QueryTicket ask(QueryParams params, QueryCallbacks callbacks, Done asked = {});
  // Nobody waits any longer: no callback of the query is called again. Unknown tickets are ignored.
  void forget(QueryTicket ticket);
  // How many queries are open.
  std::size_t open() const { return open_.size(); }

  // Answers the seen query `number`; what a Responder does. `member`: in whose name; empty: the
  // agent's own.
  void respond(std::uint64_t number, std::string payload, Done done, std::string member = {});

  // Who answers the queries of an internal name, e.g. "_serf_list-keys". The responder may keep the
  // Responder and use it later.
  void on_internal(std::string name, InternalResponder responder);

  // Events of kind query, query_ack, query_response and query_done.
  void on_event(const Event& event);

 private:
  void on_seen(const Event& event);
  std::vector<std::string> hosted() const;
  // Sends the acks that depend on tags; true when the filters let our own member answer.
  bool judge_filters(const Event& event);

  EngineHost& engine_;
  const MembersMirror& members_;
  Log& log_;
  Options options_;
  std::function<void(SeenQuery)> on_query_;
  std::map<QueryTicket, QueryCallbacks> open_;
  std::map<std::string, InternalResponder, std::less<>> internal_;
};

// What a client may not ask: "Queries cannot contain the '_serf_' prefix"; empty when it may. The
// one internal query it may ask is a ping without a payload.
std::string problem_with_name(const QueryParams& params);

}  // namespace starling::agent
