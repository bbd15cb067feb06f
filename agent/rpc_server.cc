#include "agent/rpc_server.h"

#include <array>
#include <cerrno>

#include <sys/socket.h>

#include "agent/addresses.h"
#include "io/address.h"
#include "io/errno_text.h"

namespace starling::agent {
namespace {

constexpr std::size_t read_bytes = 64 * 1024;
// A long list comes in pieces of RpcSession::listing_bytes_max: about a mebibyte at a time, so that
// one client's list does not keep the loop from everybody else.
constexpr std::size_t sends_per_turn = 16;
// Of a listener that has no descriptor left for a client: it would wake the loop again at once.
constexpr Duration rest_interval = std::chrono::milliseconds(200);

}  // namespace

RpcServer::RpcServer(EventLoop& loop, const RpcBackend& backend, const RpcLimits& limits,
                     io::File listener, Endpoint bound)
    : loop_(loop),
      backend_(backend),
      listener_(std::move(listener)),
      bound_(bound),
      limits_(limits),
      guesses_(limits.handshake_timeout > Duration::zero() ? limits.handshake_timeout / 2
                                                           : TokenGuesses::longest_wait) {
  loop_.watch(listener_.descriptor(), POLLIN, [this](short) { accept_all(); });
}

RpcServer::~RpcServer() {
  shut_down();
}

std::expected<std::unique_ptr<RpcServer>, std::string> RpcServer::listen(const std::string& address,
                                                                         EventLoop& loop,
                                                                         const RpcBackend& backend,
                                                                         const RpcLimits& limits) {
  const auto parts = split_host_port(address);
  if (!parts) return std::unexpected("listen tcp: " + parts.error());
  const auto port = parse_port(parts->port);
  if (!port) return std::unexpected("listen tcp: " + port.error());
  const auto addresses = resolve(parts->host.empty() ? "0.0.0.0" : parts->host);
  if (!addresses) return std::unexpected("listen tcp: " + addresses.error());
  const Endpoint wanted{addresses->front(), *port};
  const auto failed = [&](std::string_view call) {
    return std::unexpected("listen tcp " + format_endpoint(wanted) + ": " + std::string(call) +
                           ": " + io::errno_text(errno));
  };

  const int family = io::family_of(wanted.address);
  io::File socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.open()) return failed("socket");
  const int on = 1;
  setsockopt(socket.descriptor(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  io::SocketAddress here;
  io::to_socket_address(wanted, family, io::Zone::none, here);
  if (bind(socket.descriptor(), here.get(), here.bytes) != 0) return failed("bind");
  if (::listen(socket.descriptor(), SOMAXCONN) != 0) return failed("listen");
  io::SocketAddress bound;
  bound.bytes = sizeof bound.storage;
  getsockname(socket.descriptor(), bound.get(), &bound.bytes);
  return std::unique_ptr<RpcServer>(
      new RpcServer(loop, backend, limits, std::move(socket), io::to_endpoint(bound.storage)));
}

void RpcServer::accept_all() {
  for (std::size_t count = 0; count < limits_.clients_max; ++count) {
    io::SocketAddress peer;
    peer.bytes = sizeof peer.storage;
    io::File socket(
        accept4(listener_.descriptor(), peer.get(), &peer.bytes, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.open()) {
      const int error = errno;
      if (error != EAGAIN && error != EINTR && error != ECONNABORTED) rest(error);
      return;
    }
    const Endpoint from = io::to_endpoint(peer.storage);
    const std::string name = io::to_text(from);
    if (clients_.size() >= limits_.clients_max) {
      if (may_log("rpc-too-many-clients")) {
        backend_.log->warn("agent.ipc: too many clients, refusing {}", name);
      }
      continue;
    }
    if (may_log("rpc-client-accepted")) {
      backend_.log->info("agent.ipc: Accepted client: {}", name);
    }
    if (backend_.count) backend_.count("agent.ipc.accept");
    const int descriptor = socket.descriptor();
    const auto on_output = [this, descriptor] {
      const auto at = clients_.find(descriptor);
      if (at != clients_.end()) update_interest(at->second);
    };
    auto session =
        std::make_shared<RpcSession>(backend_, name, on_output, pace_of(descriptor, from.address));
    loop_.watch(descriptor, POLLIN,
                [this, descriptor](short events) { on_ready(descriptor, events); });
    const Instant now = EventLoop::now();
    clients_.emplace(descriptor, Client{.socket = std::move(socket),
                                        .session = std::move(session),
                                        .accepted = now,
                                        .taken = now,
                                        .half_since = std::nullopt,
                                        .token_timer = std::nullopt});
    if (!check_timer_) check_timer_ = loop_.after(check_interval, [this] { check_clients(); });
  }
}

TokenPace RpcServer::pace_of(int descriptor, const IpAddress& from) {
  const auto hold = [this, descriptor, from](std::function<void()> compare) {
    const Duration wait = guesses_.came(from, EventLoop::now());
    if (wait == Duration::zero()) return compare();
    // A client that goes before is not compared: drop() takes the timer along.
    clients_.at(descriptor).token_timer =
        loop_.after(wait, [this, descriptor, compare = std::move(compare)] {
          clients_.at(descriptor).token_timer.reset();
          compare();
        });
  };
  return {.hold = hold, .right = [this, from] { guesses_.right(from); }};
}

bool RpcServer::may_log(std::string_view kind) const {
  if (backend_.limiter == nullptr) return true;
  return backend_.limiter->admit(kind, EventLoop::now(), LogLimiter::refused_lines_max);
}

void RpcServer::rest(int error) {
  if (may_log("rpc-accept-failed")) {
    backend_.log->err("agent.ipc: Failed to accept client: {}", io::errno_text(error));
  }
  loop_.change(listener_.descriptor(), 0);
  rest_timer_ = loop_.after(rest_interval, [this] {
    rest_timer_.reset();
    loop_.change(listener_.descriptor(), POLLIN);
  });
}

void RpcServer::note_progress(Client& client, Instant now) {
  const RpcSession& session = *client.session;
  if (session.output().empty()) client.taken = now;
  if (!session.half_request()) {
    client.half_since.reset();
  } else if (!client.half_since || client.requests_then != session.requests_taken()) {
    client.half_since = now;
    client.requests_then = session.requests_taken();
  }
}

std::string_view RpcServer::out_of_time(const Client& client, Instant now) const {
  const auto over = [now](Instant since, Duration limit) {
    return limit > Duration::zero() && now - since > limit;
  };
  if (over(client.taken, limits_.stall_timeout)) return "it takes nothing of what waits for it";
  if (client.half_since && over(*client.half_since, limits_.request_timeout)) {
    return "it did not finish its request in time";
  }
  if (!client.session->introduced() && over(client.accepted, limits_.handshake_timeout)) {
    return "it did not introduce itself in time";
  }
  return {};
}

void RpcServer::check_clients() {
  check_timer_.reset();
  const Instant now = EventLoop::now();
  std::vector<int> lost;
  for (auto& [descriptor, client] : clients_) {
    note_progress(client, now);
    const std::string_view why = out_of_time(client, now);
    if (why.empty()) continue;
    client.session->cut_off(why);
    lost.push_back(descriptor);
  }
  for (const int descriptor : lost) drop(descriptor);
  if (!clients_.empty()) {
    check_timer_ = loop_.after(check_interval, [this] { check_clients(); });
  }
}

void RpcServer::update_interest(const Client& client) {
  const bool to_send = !client.session->output().empty() || client.session->closing();
  const bool to_read = !client.session->busy() && !client.session->closing();
  loop_.change(client.socket.descriptor(),
               static_cast<short>((to_read ? POLLIN : 0) | (to_send ? POLLOUT : 0)));
}

void RpcServer::on_ready(int descriptor, short events) {
  const auto at = clients_.find(descriptor);
  if (at == clients_.end()) return;
  Client& client = at->second;
  const bool readable = (events & POLLIN) != 0;
  bool alive = !readable || read_from(client);
  // A client that has gone entirely is noticed here even while its request is pending.
  if (!readable && (events & (POLLHUP | POLLERR)) != 0) alive = false;
  if (alive) alive = write_to(client, sends_per_turn);
  note_progress(client, EventLoop::now());
  if (!alive || (client.session->closing() && client.session->output().empty())) {
    drop(descriptor);
    return;
  }
  update_interest(client);
}

bool RpcServer::read_from(Client& client) {
  std::array<char, read_bytes> room;
  const ssize_t count = recv(client.socket.descriptor(), room.data(), room.size(), 0);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  client.session->receive({room.data(), static_cast<std::size_t>(count)});
  return true;
}

bool RpcServer::write_to(Client& client, std::size_t sends_max) {
  for (std::size_t sends = 0; sends < sends_max && !client.session->output().empty(); ++sends) {
    const std::string_view output = client.session->output();
    const ssize_t count =
        send(client.socket.descriptor(), output.data(), output.size(), MSG_NOSIGNAL);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    client.taken = EventLoop::now();
    client.session->sent(static_cast<std::size_t>(count));
  }
  return true;
}

void RpcServer::drop(int descriptor) {
  loop_.forget(descriptor);
  const auto at = clients_.find(descriptor);
  if (at == clients_.end()) return;
  if (at->second.token_timer) loop_.cancel(*at->second.token_timer);
  // Unread input would turn the close into a reset, and the last answer could be lost with it.
  std::array<char, read_bytes> room;
  for (int i = 0; i < 64; ++i) {
    if (recv(descriptor, room.data(), room.size(), MSG_DONTWAIT) <= 0) break;
  }
  clients_.erase(at);
}

void RpcServer::publish(const HandlerEvent& event, bool coalesce) {
  for (const auto& [descriptor, client] : clients_) client.session->publish(event, coalesce);
}

void RpcServer::shut_down() {
  if (check_timer_) loop_.cancel(*check_timer_);
  if (rest_timer_) loop_.cancel(*rest_timer_);
  check_timer_.reset();
  rest_timer_.reset();
  if (!listener_.open()) return;
  loop_.forget(listener_.descriptor());
  listener_.close();
  while (!clients_.empty()) {
    const auto first = clients_.begin();
    static_cast<void>(write_to(first->second, SIZE_MAX));
    drop(first->first);
  }
}

}  // namespace starling::agent
