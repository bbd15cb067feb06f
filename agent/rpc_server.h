// The RPC listener and its clients' sockets. protocol/serf section 17.
//
// Moves bytes between sockets and RpcSessions; the sessions know the protocol. Owned by the agent,
// control thread only. Bounds: clients_max connections, more are closed at once and logged; the
// rest is RpcSession's.
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <string>

#include "agent/event_loop.h"
#include "agent/rpc_session.h"
#include "io/file.h"

namespace starling::agent {

class RpcServer {
 public:
  static constexpr std::size_t clients_max = 128;

  // Binds and listens. The error is Go's, e.g.
  // "listen tcp 127.0.0.1:7373: bind: address already in use". `backend` must outlive the server.
  static std::expected<std::unique_ptr<RpcServer>, std::string> listen(const std::string& address,
                                                                       EventLoop& loop,
                                                                       const RpcBackend& backend);
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
  };
  RpcServer(EventLoop& loop, const RpcBackend& backend, io::File listener, Endpoint bound);
  void accept_all();
  void on_ready(int descriptor, short events);
  bool read_from(Client& client);  // false: the client is gone
  // What the session has to send, in at most `sends_max` calls.
  bool write_to(Client& client, std::size_t sends_max);
  void update_interest(const Client& client);
  void drop(int descriptor);

  EventLoop& loop_;
  const RpcBackend& backend_;
  io::File listener_;
  Endpoint bound_;
  std::map<int, Client> clients_;
};

}  // namespace starling::agent
