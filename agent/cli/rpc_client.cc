#include "agent/cli/rpc_client.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/addresses.h"
#include "agent/members_decoder.h"
#include "io/address.h"
#include "io/errno_text.h"
#include "wire/value_scanner.h"

namespace starling::agent::cli {
namespace {

constexpr int dial_ms_max = 10'000;
constexpr int write_ms_max = 10'000;
constexpr std::size_t read_bytes = 64 * 1024;
constexpr std::string_view closed = "client closed";

struct NoRequest {};
void append(std::string&, const NoRequest&) {}

// True when the socket became ready within `ms`.
bool wait_for(int socket, short what, int ms) {
  pollfd entry{.fd = socket, .events = what, .revents = 0};
  int ready = 0;
  do {
    ready = poll(&entry, 1, ms);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

std::expected<int, std::string> dial(const Endpoint& endpoint) {
  const auto failed = [&](int socket, std::string_view call, std::string_view why) {
    if (socket >= 0) close(socket);
    return std::unexpected("dial tcp " + format_endpoint(endpoint) + ": " + std::string(call) +
                           std::string(why));
  };
  const int family = io::family_of(endpoint.address);
  io::SocketAddress address;
  if (!io::to_socket_address(endpoint, family, io::Zone::none, address)) {
    return failed(-1, "", "no way to this address");
  }
  const int socket = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) return failed(socket, "socket: ", io::errno_text(errno));
  int problem = 0;
  if (::connect(socket, address.get(), address.bytes) != 0) problem = errno;
  if (problem == EINPROGRESS) {
    if (!wait_for(socket, POLLOUT, dial_ms_max)) return failed(socket, "", "i/o timeout");
    socklen_t size = sizeof problem;
    getsockopt(socket, SOL_SOCKET, SO_ERROR, &problem, &size);
  }
  if (problem != 0) return failed(socket, "connect: ", io::errno_text(problem));
  return socket;
}

std::expected<int, std::string> dial(std::string_view address) {
  const auto parts = split_host_port(address);
  if (!parts) return std::unexpected("dial tcp: " + parts.error());
  const auto port = parse_port(parts->port);
  if (!port) return std::unexpected("dial tcp: " + port.error());
  const auto addresses = resolve(parts->host.empty() ? "127.0.0.1" : parts->host);
  if (!addresses) return std::unexpected("dial tcp: " + addresses.error());
  std::expected<int, std::string> socket = std::unexpected(std::string());
  for (const IpAddress& candidate : *addresses) {
    socket = dial(Endpoint{candidate, *port});
    if (socket) break;
  }
  return socket;
}

}  // namespace

RpcClient::~RpcClient() {
  if (socket_ >= 0) close(socket_);
}

RpcClient::RpcClient(RpcClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      sequence_(other.sequence_),
      received_(std::move(other.received_)),
      taken_(other.taken_),
      subscriptions_(std::move(other.subscriptions_)),
      records_(std::move(other.records_)) {}

RpcClient& RpcClient::operator=(RpcClient&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(sequence_, other.sequence_);
  std::swap(received_, other.received_);
  std::swap(taken_, other.taken_);
  std::swap(subscriptions_, other.subscriptions_);
  std::swap(records_, other.records_);
  return *this;
}

std::expected<RpcClient, std::string> RpcClient::connect(std::string_view address,
                                                         std::string_view token) {
  const auto socket = dial(address);
  if (!socket) return std::unexpected(socket.error());
  RpcClient client(*socket);
  if (const auto done = client.call_plain("handshake", HandshakeRequest{.version = 1}); !done) {
    return std::unexpected(done.error());
  }
  if (!token.empty()) {
    const auto done = client.call_plain("auth", AuthRequest{.key = std::string(token)});
    if (!done) return std::unexpected(done.error());
  }
  return client;
}

std::expected<void, std::string> RpcClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!wait_for(socket_, POLLOUT, write_ms_max)) return std::unexpected("i/o timeout");
    } else if (errno != EINTR) {
      return std::unexpected("write: " + io::errno_text(errno));
    }
  }
  return {};
}

std::expected<std::optional<std::string>, std::string> RpcClient::receive(int interrupt) {
  ValueScanner scanner;
  std::size_t scanned = 0;
  for (;;) {
    const Decoded<std::size_t> taken = scanner.scan(as_bytes(received()).subspan(scanned));
    if (!taken) return std::unexpected("bad answer from the agent");
    scanned += *taken;
    if (scanner.complete()) {
      std::string value(received().substr(0, scanned));
      taken_ += scanned;
      return value;
    }
    const auto more = receive_more(interrupt);
    if (!more) return std::unexpected(more.error());
    if (!*more) return std::nullopt;
  }
}

std::expected<bool, std::string> RpcClient::receive_more(int interrupt) {
  received_.erase(0, std::exchange(taken_, 0));
  for (;;) {
    std::array<pollfd, 2> entries{{{.fd = socket_, .events = POLLIN, .revents = 0},
                                   {.fd = interrupt, .events = POLLIN, .revents = 0}}};
    if (poll(entries.data(), entries.size(), -1) < 0) continue;
    if (entries[1].revents != 0) return false;
    const std::size_t before = received_.size();
    received_.resize(before + read_bytes);
    const ssize_t count = recv(socket_, received_.data() + before, read_bytes, 0);
    const int problem = errno;
    received_.resize(before + static_cast<std::size_t>(count > 0 ? count : 0));
    if (count == 0) return std::unexpected(std::string(closed));
    if (count < 0 && problem != EAGAIN && problem != EINTR) {
      return std::unexpected(std::string(closed));
    }
    if (count > 0) return true;
  }
}

std::expected<std::optional<ResponseHeader>, std::string> RpcClient::receive_header(int interrupt) {
  const auto value = receive(interrupt);
  if (!value) return std::unexpected(value.error());
  if (!*value) return std::nullopt;
  ResponseHeader header;
  if (!decode_into(as_bytes(**value), header)) {
    return std::unexpected("bad answer from the agent");
  }
  return header;
}

template <class Request>
std::expected<RpcClient::Answer, std::string> RpcClient::call(std::string_view command,
                                                              const Request& request, Body body) {
  std::string bytes;
  append(bytes, RequestHeader{.command = std::string(command), .sequence = ++sequence_});
  append(bytes, request);
  if (const auto sent = send(bytes); !sent) return std::unexpected(sent.error());
  for (;;) {
    const auto header = receive_header(-1);
    if (!header) return std::unexpected(header.error());
    const std::uint64_t sequence = (*header)->sequence;
    if (sequence != sequence_ && !subscriptions_.contains(sequence)) continue;
    Answer answer{.error = (*header)->error, .body = {}};
    const bool is_record = sequence != sequence_;
    // Without a token the agent answers with a bare header whatever the command.
    const bool has_body = body == Body::present && answer.error != "Authentication required";
    if (is_record || has_body) {
      auto value = receive(-1);
      if (!value) return std::unexpected(value.error());
      answer.body = std::move(**value);
    }
    if (!is_record) return answer;
    records_.push_back({sequence, std::move(answer.body)});
  }
}

template <class Request>
std::expected<void, std::string> RpcClient::call_plain(std::string_view command,
                                                       const Request& request) {
  const auto answer = call(command, request, Body::none);
  if (!answer) return std::unexpected(answer.error());
  if (!answer->error.empty()) return std::unexpected(answer->error);
  return {};
}

template <class Request>
std::expected<std::uint64_t, std::string> RpcClient::subscribe(std::string_view command,
                                                               const Request& request) {
  const auto done = call_plain(command, request);
  if (!done) return std::unexpected(done.error());
  subscriptions_.insert(sequence_);
  return sequence_;
}

template <class Request>
std::expected<void, std::string> RpcClient::list(std::string_view command, const Request& request,
                                                 const OnMember& on_member) {
  if (auto header = call_plain(command, request); !header) return header;
  MembersDecoder decoder;
  for (;;) {
    Bytes chunk = as_bytes(received());
    const std::size_t before = chunk.size();
    const auto fed = decoder.feed(chunk, on_member);
    if (!fed) return std::unexpected("bad answer from the agent");
    taken_ += before - chunk.size();
    if (decoder.complete()) return {};
    if (const auto more = receive_more(-1); !more) return std::unexpected(more.error());
  }
}

std::expected<void, std::string> RpcClient::members_filtered(const MembersFilteredRequest& filter,
                                                             const OnMember& on_member) {
  return list("members-filtered", filter, on_member);
}

std::expected<void, std::string> RpcClient::members(const OnMember& on_member) {
  return list("members", NoRequest{}, on_member);
}

std::expected<void, std::string> RpcClient::hosted(const OnMember& on_member) {
  return list("hosted", NoRequest{}, on_member);
}

std::expected<void, std::string> RpcClient::event(const EventRequest& request) {
  return call_plain("event", request);
}

std::expected<void, std::string> RpcClient::force_leave(const ForceLeaveRequest& request) {
  return call_plain("force-leave", request);
}

std::expected<std::int64_t, std::string> RpcClient::join(const JoinRequest& request) {
  const auto answer = call("join", request, Body::present);
  if (!answer) return std::unexpected(answer.error());
  if (!answer->error.empty()) return std::unexpected(answer->error);
  const auto count = decode_join_count(as_bytes(answer->body));
  if (!count) return std::unexpected("bad answer from the agent");
  return *count;
}

std::expected<void, std::string> RpcClient::leave() {
  return call_plain("leave", NoRequest{});
}

std::expected<void, std::string> RpcClient::tags(const TagsRequest& request) {
  return call_plain("tags", request);
}

std::expected<void, std::string> RpcClient::member_tags(const MemberTagsRequest& request) {
  return call_plain("member-tags", request);
}

std::expected<void, std::string> RpcClient::host_member(const HostMemberRequest& request) {
  return call_plain("host-member", request);
}

std::expected<void, std::string> RpcClient::unhost_member(const UnhostMemberRequest& request) {
  return call_plain("unhost-member", request);
}

template <class Request>
std::expected<RpcClient::KeysAnswer, std::string> RpcClient::call_keys(std::string_view command,
                                                                       const Request& request) {
  auto answer = call(command, request, Body::present);
  if (!answer) return std::unexpected(answer.error());
  // Without a token there is no body.
  if (answer->body.empty()) return std::unexpected(answer->error);
  auto outcome = decode_key_outcome(as_bytes(answer->body));
  if (!outcome) return std::unexpected("bad answer from the agent");
  return KeysAnswer{std::move(*outcome), std::move(answer->error)};
}

std::expected<RpcClient::KeysAnswer, std::string> RpcClient::change_keys(KeyChange change,
                                                                         const std::string& key) {
  return call_keys(to_text(change), KeyRequestBody{key});
}

std::expected<RpcClient::KeysAnswer, std::string> RpcClient::list_keys() {
  return call_keys("list-keys", NoRequest{});
}

std::expected<Stats, std::string> RpcClient::stats() {
  const auto answer = call("stats", NoRequest{}, Body::present);
  if (!answer) return std::unexpected(answer.error());
  if (!answer->error.empty()) return std::unexpected(answer->error);
  auto stats = decode_stats(as_bytes(answer->body));
  if (!stats) return std::unexpected("bad answer from the agent");
  return std::move(*stats);
}

std::expected<Stats, std::string> RpcClient::explain(const ExplainRequest& request) {
  const auto answer = call("explain", request, Body::present);
  if (!answer) return std::unexpected(answer.error());
  if (!answer->error.empty()) return std::unexpected(answer->error);
  auto explained = decode_stats(as_bytes(answer->body));
  if (!explained) return std::unexpected("bad answer from the agent");
  return std::move(*explained);
}

std::expected<std::optional<Coordinate>, std::string> RpcClient::coordinate(
    const CoordinateRequest& request) {
  const auto answer = call("get-coordinate", request, Body::present);
  if (!answer) return std::unexpected(answer.error());
  if (!answer->error.empty()) return std::unexpected(answer->error);
  const auto known = decode_coordinate(as_bytes(answer->body));
  if (!known) return std::unexpected("bad answer from the agent");
  return *known;
}

std::expected<std::uint64_t, std::string> RpcClient::stream(const StreamRequest& request) {
  return subscribe("stream", request);
}

std::expected<std::uint64_t, std::string> RpcClient::monitor(const MonitorRequest& request) {
  return subscribe("monitor", request);
}

std::expected<std::uint64_t, std::string> RpcClient::query(const QueryRequest& request) {
  return subscribe("query", request);
}

std::expected<void, std::string> RpcClient::respond(const RespondRequest& request) {
  return call_plain("respond", request);
}

std::expected<void, std::string> RpcClient::stop(std::uint64_t subscription) {
  return call_plain("stop", StopRequest{.stop = subscription});
}

std::expected<std::optional<RpcClient::Record>, std::string> RpcClient::next_record(int interrupt) {
  for (;;) {
    if (!records_.empty()) {
      Record record = std::move(records_.front());
      records_.pop_front();
      return record;
    }
    const auto header = receive_header(interrupt);
    if (!header) return std::unexpected(header.error());
    if (!*header) return std::nullopt;
    if (!subscriptions_.contains((*header)->sequence)) continue;
    auto value = receive(interrupt);
    if (!value) return std::unexpected(value.error());
    if (!*value) return std::nullopt;
    records_.push_back({(*header)->sequence, std::move(**value)});
  }
}

}  // namespace starling::agent::cli
