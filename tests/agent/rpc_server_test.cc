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
struct Fixture {
  EventLoop loop;
  MembersMirror members;
  Log log{LogLevel::err, [](std::string_view) {}};
  RpcBackend backend;
  std::unique_ptr<RpcServer> server;
  std::string address;
  std::thread thread;

  Fixture() {
    backend.log = &log;
    backend.members = &members;
    backend.event = [](const EventRequest&, const RpcBackend::Done& done) { done(""); };
    auto started = RpcServer::listen("127.0.0.1:0", loop, backend);
    EXPECT_TRUE(started);
    server = std::move(*started);
    address = format_endpoint(server->bound());
    thread = std::thread([this] { loop.run(); });
  }
  ~Fixture() {
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

int dial(const Fixture& f) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in there{};
  there.sin_family = AF_INET;
  there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  there.sin_port = htons(f.server->bound().port);
  EXPECT_EQ(connect(socket, reinterpret_cast<sockaddr*>(&there), sizeof there), 0);
  return socket;
}

TEST(RpcServer, ServesClientsSideBySide) {
  Fixture f;
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
  Fixture f;
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
  Fixture f;
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
  Fixture f;
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
  Fixture f;
  std::vector<int> sockets;
  for (std::size_t i = 0; i < RpcServer::clients_max + 3; ++i) sockets.push_back(dial(f));
  char byte = 0;
  EXPECT_EQ(recv(sockets.back(), &byte, 1, 0), 0);
  EXPECT_EQ(f.on_loop([&] { return f.server->clients(); }), RpcServer::clients_max);
  for (const int socket : sockets) close(socket);
  for (int i = 0; i < 200 && f.on_loop([&] { return f.server->clients(); }) > 0; ++i) {
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_EQ(f.on_loop([&] { return f.server->clients(); }), 0U);
}

TEST(RpcServer, ListenErrorsSayWhere) {
  Fixture f;
  EventLoop loop;
  EXPECT_EQ(RpcServer::listen(f.address, loop, f.backend).error(),
            "listen tcp " + f.address + ": bind: address already in use");
  EXPECT_EQ(RpcServer::listen("127.0.0.1", loop, f.backend).error(),
            "listen tcp: address 127.0.0.1: missing port in address");
  EXPECT_EQ(RpcServer::listen("192.0.2.1:1", loop, f.backend).error(),
            "listen tcp 192.0.2.1:1: bind: cannot assign requested address");
}

}  // namespace
}  // namespace starling::agent
