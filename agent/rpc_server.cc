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

}  // namespace

RpcServer::RpcServer(EventLoop& loop, const RpcBackend& backend, io::File listener, Endpoint bound)
    : loop_(loop), backend_(backend), listener_(std::move(listener)), bound_(bound) {
  loop_.watch(listener_.descriptor(), POLLIN, [this](short) { accept_all(); });
}

RpcServer::~RpcServer() {
  shut_down();
}

std::expected<std::unique_ptr<RpcServer>, std::string> RpcServer::listen(
    const std::string& address, EventLoop& loop, const RpcBackend& backend) {
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
      new RpcServer(loop, backend, std::move(socket), io::to_endpoint(bound.storage)));
}

void RpcServer::accept_all() {
  for (std::size_t count = 0; count < clients_max; ++count) {
    io::SocketAddress peer;
    peer.bytes = sizeof peer.storage;
    io::File socket(
        accept4(listener_.descriptor(), peer.get(), &peer.bytes, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.open()) return;
    const std::string name = io::to_text(io::to_endpoint(peer.storage));
    if (clients_.size() >= clients_max) {
      backend_.log->warn("agent.ipc: too many clients, refusing {}", name);
      continue;
    }
    backend_.log->info("agent.ipc: Accepted client: {}", name);
    if (backend_.count) backend_.count("agent.ipc.accept");
    const int descriptor = socket.descriptor();
    auto session = std::make_shared<RpcSession>(backend_, name, [this, descriptor] {
      const auto at = clients_.find(descriptor);
      if (at != clients_.end()) update_interest(at->second);
    });
    loop_.watch(descriptor, POLLIN,
                [this, descriptor](short events) { on_ready(descriptor, events); });
    clients_.emplace(descriptor, Client{std::move(socket), std::move(session)});
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
    client.session->sent(static_cast<std::size_t>(count));
  }
  return true;
}

void RpcServer::drop(int descriptor) {
  loop_.forget(descriptor);
  const auto at = clients_.find(descriptor);
  if (at == clients_.end()) return;
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
