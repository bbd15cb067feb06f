// The RPC listener and its clients' sockets. protocol/serf section 17.
//
// Moves bytes between sockets and RpcSessions; the sessions know the protocol. Owned by the agent,
// control thread only. Bounds: RpcLimits; the rest is RpcSession's. A client has little time to
// introduce itself and to finish a request that it began, and must take what it asked for at some
// pace; else it would hold one of few places for nothing. Serf waits for ever. Who has shown wrong
// tokens waits before the next one is looked at (TokenGuesses).
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/event_loop.h"
#include "agent/rpc_session.h"
#include "agent/token_guesses.h"
#include "io/file.h"

namespace starling::agent {

// Durations of zero: never. They are kept to a second, see check_interval.
struct RpcLimits {
  std::size_t clients_max = 128;  // more are closed at once
  // Until a client has shaken hands and, where a token is wanted, shown it.
  // Waits for the comparison of a token take at most half of it.
  Duration handshake_timeout = std::chrono::seconds(10);
  // From a request's first byte to its last, however steadily they come.
  Duration request_timeout = std::chrono::seconds(10);
  // While something waits to be sent and the client takes none of it.
  Duration stall_timeout = std::chrono::minutes(1);
};

class RpcServer {
 public:
  static constexpr Duration check_interval = std::chrono::milliseconds(500);

  // Binds and listens. The error is Go's, e.g.
  // "listen tcp 127.0.0.1:7373: bind: address already in use". `backend` must outlive the server.
  static std::expected<std::unique_ptr<RpcServer>, std::string> listen(const std::string& address,
                                                                       EventLoop& loop,
                                                                       const RpcBackend& backend,
                                                                       const RpcLimits& limits);
  ~RpcServer();
  RpcServer(const RpcServer&) = delete;
  RpcServer& operator=(const RpcServer&) = delete;

  // Where it listens; the port is known even when 0 was asked for.
  const Endpoint& bound() const { return bound_; }
  std::size_t clients() const { return clients_.size(); }

  // Every client's streams.
  void publish(const HandlerEvent& event, bool coalesce);
  // Sends what can be sent without waiting, then closes everything.
  void shut_down();

 private:
  struct Client {
    io::File socket;
    std::shared_ptr<RpcSession> session;
    Instant accepted;
    Instant taken;  // the client last took something, or there was nothing to take
    std::optional<Instant> half_since;              // a request has begun to come
    std::uint64_t requests_then = 0;                // RpcSession::requests_taken() at that time
    std::optional<EventLoop::TimerId> token_timer;  // a token waits to be compared
  };
  RpcServer(EventLoop& loop, const RpcBackend& backend, const RpcLimits& limits, io::File listener,
            Endpoint bound);
  void accept_all();
  TokenPace pace_of(int descriptor, const IpAddress& from);
  void on_ready(int descriptor, short events);
  bool read_from(Client& client);  // false: the client is gone
  // What the session has to send, in at most `sends_max` calls.
  bool write_to(Client& client, std::size_t sends_max);
  void update_interest(const Client& client);
  void note_progress(Client& client, Instant now);
  // Cuts off who is out of time; runs every check_interval while there are clients.
  void check_clients();
  std::string_view out_of_time(const Client& client, Instant now) const;
  void rest(int error);  // stops accepting for a moment
  bool may_log(std::string_view kind) const;
  void drop(int descriptor);

  EventLoop& loop_;
  const RpcBackend& backend_;
  io::File listener_;
  Endpoint bound_;
  std::map<int, Client> clients_;
  RpcLimits limits_;
  TokenGuesses guesses_;
  std::optional<EventLoop::TimerId> check_timer_;
  std::optional<EventLoop::TimerId> rest_timer_;
};

}  // namespace starling::agent
