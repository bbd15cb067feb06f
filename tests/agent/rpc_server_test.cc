#include "agent/rpc_server.h"

#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "agent/addresses.h"
#include "agent/cli/rpc_client.h"
#include "tests/agent/cli/replay.h"
#include "tests/agent/member_event.h"

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

// A server on a loop of its own thread.
struct RpcServerFixture {
  EventLoop loop;
  MembersMirror members;
  Log log{LogLevel::err, [](std::string_view) {}};
  RpcBackend backend;
  std::unique_ptr<RpcServer> server;
  std::string address;
  std::thread thread;

  explicit RpcServerFixture(const RpcLimits& limits = {}) {
    backend.log = &log;
    backend.members = &members;
    backend.event = [](const EventRequest&, const RpcBackend::Done& done) { done(""); };
    auto started = RpcServer::listen("127.0.0.1:0", loop, backend, limits);
    EXPECT_TRUE(started);
    server = std::move(*started);
    address = format_endpoint(server->bound());
    thread = std::thread([this] { loop.run(); });
  }
  ~RpcServerFixture() {
    loop.post([this] { loop.stop(); });
    thread.join();
  }
  // Runs on the server's thread and waits for it.
  template <class Call>
  auto on_loop(Call call) {
    std::promise<decltype(call())> result;
    loop.post([&] { result.set_value(call()); });
    return result.get_future().get();
  }
};

int dial(const RpcServerFixture& f, std::uint32_t source = INADDR_LOOPBACK) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(source);
  EXPECT_EQ(bind(socket, reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
  sockaddr_in there{};
  there.sin_family = AF_INET;
  there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  there.sin_port = htons(f.server->bound().port);
  EXPECT_EQ(connect(socket, reinterpret_cast<sockaddr*>(&there), sizeof there), 0);
  return socket;
}

TEST(RpcServer, ServesClientsSideBySide) {
  RpcServerFixture f;
  auto first = cli::RpcClient::connect(f.address, "");
  auto second = cli::RpcClient::connect(f.address, "");
  ASSERT_TRUE(first && second) << first.error();
  EXPECT_TRUE(first->event({.name = "x", .payload = {}, .coalesce = false}));
  const auto nobody = [](const MemberInfo&) { ADD_FAILURE(); };
  EXPECT_TRUE(second->members_filtered({}, nobody));
  EXPECT_EQ(second->members_filtered({.name = "((", .status = "", .tags = {}}, nobody).error(),
            "client closed");
  EXPECT_TRUE(first->event({.name = "y", .payload = {}, .coalesce = false}));
}

TEST(RpcServer, SendsLongListsInPieces) {
  RpcServerFixture f;
  constexpr std::size_t many = 100'000;  // far more than the buffers of a socket hold
  f.on_loop([&] {
    for (std::size_t i = 0; i < many; ++i) f.members.apply(joined("member-" + std::to_string(i)));
    return true;
  });
  auto client = cli::RpcClient::connect(f.address, "");
  ASSERT_TRUE(client);
  for (int round = 0; round < 2; ++round) {
    std::size_t count = 0;
    EXPECT_TRUE(client->members_filtered({}, [&](const MemberInfo& member) {
      count += member.tags == Tags{{"role", "web"}} ? 1 : 0;
    }));
    EXPECT_EQ(count, many);
    EXPECT_TRUE(client->event({.name = "x", .payload = {}, .coalesce = false}));
  }
}

TEST(RpcServer, PublishesToStreams) {
  RpcServerFixture f;
  auto client = cli::RpcClient::connect(f.address, "");
  ASSERT_TRUE(client);
  ASSERT_TRUE(client->stream({.type = "user"}));
  HandlerEvent event;
  event.kind = HandlerEvent::Kind::user;
  event.name = "deploy";
  f.loop.post([&] { f.server->publish(event, false); });
  const auto record = client->next_record(-1);
  ASSERT_TRUE(record && *record);
  EXPECT_NE((*record)->body.find("deploy"), std::string::npos);
}

TEST(RpcServer, AnswersBeforeItCloses) {
  RpcServerFixture f;
  const int socket = dial(f);
  const std::string request = cli::from_hex("82a7436f6d6d616e64a76d656d62657273a353657107");
  send(socket, request.data(), request.size(), MSG_NOSIGNAL);
  std::string answer;
  char room[256];
  for (ssize_t count = 1; count > 0;) {
    count = recv(socket, room, sizeof room, 0);
    if (count > 0) answer.append(room, static_cast<std::size_t>(count));
  }
  close(socket);
  EXPECT_EQ(answer,
            cli::from_hex("82a54572726f72b248616e647368616b65207265717569726564a353657107"));
}

TEST(RpcServer, RefusesTooManyClients) {
  RpcServerFixture f;
  std::vector<int> sockets;
  for (std::size_t i = 0; i < RpcLimits{}.clients_max + 3; ++i) sockets.push_back(dial(f));
  char byte = 0;
  EXPECT_EQ(recv(sockets.back(), &byte, 1, 0), 0);
  EXPECT_EQ(f.on_loop([&] { return f.server->clients(); }), RpcLimits{}.clients_max);
  for (const int socket : sockets) close(socket);
  for (int i = 0; i < 200 && f.on_loop([&] { return f.server->clients(); }) > 0; ++i) {
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_EQ(f.on_loop([&] { return f.server->clients(); }), 0U);
}

// How long it takes until the server closes the connection; nothing when it does not within `most`.
std::optional<Duration> closed_after(int socket, Duration most) {
  const Instant start = EventLoop::now();
  timeval wait{.tv_sec = 0, .tv_usec = 20'000};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  char room[4096];
  while (EventLoop::now() - start < most) {
    const ssize_t count = recv(socket, room, sizeof room, 0);
    if (count == 0 || (count < 0 && errno != EAGAIN)) return EventLoop::now() - start;
  }
  return std::nullopt;
}

std::string greeting() {
  std::string bytes;
  append(bytes, RequestHeader{.command = "handshake", .sequence = 1});
  append(bytes, HandshakeRequest{.version = 1});
  return bytes;
}

void send_text(int socket, std::string_view bytes) {
  static_cast<void>(send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

TEST(RpcServer, CutsOffWhoDoesNotIntroduceItself) {
  RpcServerFixture f({.handshake_timeout = 300ms});
  const int silent = dial(f), greeted = dial(f);
  send_text(greeted, greeting());
  EXPECT_TRUE(closed_after(silent, 3s));
  EXPECT_FALSE(closed_after(greeted, 1s));
  close(silent);
  close(greeted);
}

TEST(RpcServer, WithATokenAHandshakeIsNotEnough) {
  RpcServerFixture f({.handshake_timeout = 300ms});
  f.on_loop([&] {
    f.backend.auth_token = "secret";
    return true;
  });
  const int greeted = dial(f), shown = dial(f);
  send_text(greeted, greeting());
  std::string bytes = greeting();
  append(bytes, RequestHeader{.command = "auth", .sequence = 2});
  append(bytes, AuthRequest{.key = "secret"});
  send_text(shown, bytes);
  EXPECT_TRUE(closed_after(greeted, 3s));
  EXPECT_FALSE(closed_after(shown, 1s));
  close(greeted);
  close(shown);
}

// Shakes hands from `source` and shows a token; the socket.
int show(const RpcServerFixture& f, std::string_view token,
         std::uint32_t source = INADDR_LOOPBACK) {
  const int socket = dial(f, source);
  std::string bytes = greeting();
  append(bytes, RequestHeader{.command = "auth", .sequence = 2});
  append(bytes, AuthRequest{.key = std::string(token)});
  send_text(socket, bytes);
  return socket;
}

// How long it takes until the answer to a token is there; it is Serf's.
Duration answered_after(int socket, std::string_view error) {
  std::string wanted, got;
  append(wanted, ResponseHeader{.error = "", .sequence = 1});
  append(wanted, ResponseHeader{.error = std::string(error), .sequence = 2});
  const Instant start = EventLoop::now();
  timeval most{.tv_sec = 8, .tv_usec = 0};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
  char room[256];
  while (got.size() < wanted.size()) {
    const ssize_t count = recv(socket, room, sizeof room, 0);
    if (count <= 0) break;
    got.append(room, static_cast<std::size_t>(count));
  }
  EXPECT_EQ(got, wanted);
  return EventLoop::now() - start;
}
constexpr std::string_view wrong_token = "Invalid authentication token";

void want_token(RpcServerFixture& f) {
  f.on_loop([&] {
    f.backend.auth_token = "secret";
    return true;
  });
}

TEST(RpcServer, GuessesOfTokensAreSlowed) {
  RpcServerFixture f;
  want_token(f);
  for (const Duration least : {0ms, 100ms, 200ms, 400ms}) {
    const int socket = show(f, "guess");
    const Duration took = answered_after(socket, wrong_token);
    EXPECT_GE(took, least - 10ms);
    EXPECT_LE(took, least + 90ms);
    close(socket);
  }
  // The loop does not wait, and somebody else does not either.
  const int guess = show(f, "guess");
  const int good = show(f, "secret", INADDR_LOOPBACK + 1);
  EXPECT_LT(answered_after(good, ""), 90ms);
  EXPECT_GE(answered_after(guess, wrong_token), 600ms);
  // Nor is the right token from there refused: it waits as long as a guess.
  const int late = show(f, "secret");
  const Duration took = answered_after(late, "");
  EXPECT_GE(took, 1500ms);
  EXPECT_LE(took, TokenGuesses::longest_wait);
  for (const int socket : {guess, good, late}) close(socket);
}

// Who does not wait for the answer is not compared, and dials into a longer wait; who dials often
// at once waits in all of them.
TEST(RpcServer, NeitherHangingUpNorManyConnectionsMakeGuessesFaster) {
  std::size_t compared = 0;
  RpcServerFixture f;
  f.on_loop([&] {
    f.backend.auth_token = "secret";
    f.log.set_threshold(LogLevel::trace);
    f.log.listen([&](const LogLine& line) {
      compared += line.text.find("wrong token") != std::string::npos ? 1 : 0;
    });
    return true;
  });
  const Instant start = EventLoop::now();
  std::vector<int> held;
  for (int i = 0; i < 400; ++i) {
    const int socket = show(f, "guess" + std::to_string(i));
    if (i % 4 == 0 && held.size() < 100) {
      held.push_back(socket);
      continue;
    }
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(socket);
  }
  while (EventLoop::now() - start < 2s) std::this_thread::sleep_for(10ms);
  EXPECT_LE(f.on_loop([&] { return compared; }), 7u) << "0, 0.1, 0.2, 0.4, 0.8 and 1.6 s";
  EXPECT_LE(f.on_loop([&] { return f.server->clients(); }), held.size())
      << "those that hung up hold no places";
  for (const int socket : held) close(socket);
}

// The time to introduce oneself is longer than any wait.
TEST(RpcServer, WaitsForTokensKeepToTheTimeForHandshakes) {
  RpcServerFixture f({.handshake_timeout = 600ms});
  want_token(f);
  std::vector<int> sockets;
  for (int i = 0; i < 8; ++i) sockets.push_back(show(f, "guess"));
  sockets.push_back(show(f, "secret"));
  const Duration took = answered_after(sockets.back(), "");
  EXPECT_GE(took, 290ms);
  EXPECT_LE(took, 590ms);
  for (const int socket : sockets) close(socket);
}

// A byte now and then does not help: the whole request has one time.
TEST(RpcServer, CutsOffARequestThatDripsIn) {
  RpcServerFixture f({.request_timeout = 400ms});
  const int slow = dial(f);
  send_text(slow, greeting());
  std::string request;
  append(request, RequestHeader{.command = "event", .sequence = 2});
  append(request, EventRequest{.name = "x", .payload = {}, .coalesce = false});
  const Instant start = EventLoop::now();
  bool closed = false;
  for (std::size_t i = 0; i + 1 < request.size() && !closed; ++i) {
    send_text(slow, std::string_view(request).substr(i, 1));
    closed = closed_after(slow, 100ms).has_value();
  }
  EXPECT_TRUE(closed);
  EXPECT_LT(EventLoop::now() - start, 3s);
  close(slow);
}

// A client that is always in the middle of some request, but finishes each, is a good one.
TEST(RpcServer, ASteadyClientIsNeverInTheMiddleForLong) {
  RpcServerFixture f({.request_timeout = 300ms});
  const int steady = dial(f);
  std::string request;
  append(request, RequestHeader{.command = "event", .sequence = 2});
  const std::size_t header = request.size();
  append(request, EventRequest{.name = "x", .payload = {}, .coalesce = false});
  send_text(steady, greeting() + request.substr(0, header));
  for (int i = 0; i < 15; ++i) {
    EXPECT_FALSE(closed_after(steady, 100ms)) << i;
    send_text(steady, request.substr(header) + request.substr(0, header));
  }
  close(steady);
}

TEST(RpcServer, CutsOffWhoTakesNothing) {
  RpcServerFixture f({.stall_timeout = 500ms});
  f.on_loop([&] {
    for (std::size_t i = 0; i < 100'000; ++i) {
      f.members.apply(joined("member-" + std::to_string(i)));
    }
    return true;
  });
  const int stalled = dial(f);
  std::string bytes = greeting();
  append(bytes, RequestHeader{.command = "members", .sequence = 2});
  send_text(stalled, bytes);
  const auto comes_to = [&](std::size_t clients) {
    for (int i = 0; i < 500; ++i) {
      if (f.on_loop([&] { return f.server->clients(); }) == clients) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  };
  EXPECT_TRUE(comes_to(1));
  EXPECT_TRUE(comes_to(0));
  close(stalled);
}

TEST(RpcServer, ZeroIsNever) {
  RpcServerFixture f({.handshake_timeout = {}, .request_timeout = {}, .stall_timeout = {}});
  const int silent = dial(f);
  send_text(silent, greeting().substr(0, 5));
  EXPECT_FALSE(closed_after(silent, 1500ms));
  close(silent);
}

TEST(RpcServer, ListenErrorsSayWhere) {
  RpcServerFixture f;
  EventLoop loop;
  EXPECT_EQ(RpcServer::listen(f.address, loop, f.backend, {}).error(),
            "listen tcp " + f.address + ": bind: address already in use");
  EXPECT_EQ(RpcServer::listen("127.0.0.1", loop, f.backend, {}).error(),
            "listen tcp: address 127.0.0.1: missing port in address");
  EXPECT_EQ(RpcServer::listen("192.0.2.1:1", loop, f.backend, {}).error(),
            "listen tcp 192.0.2.1:1: bind: cannot assign requested address");
}

}  // namespace
}  // namespace starling::agent
