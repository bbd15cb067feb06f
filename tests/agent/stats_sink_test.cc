#include "agent/stats_sink.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "io/address.h"

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

io::File server(int kind, std::uint16_t& port) {
  io::File socket(::socket(AF_INET, kind | SOCK_NONBLOCK, 0));
  io::SocketAddress address;
  io::to_socket_address({IpAddress::v4(127, 0, 0, 1), port}, AF_INET, io::Zone::none, address);
  const int yes = 1;
  setsockopt(socket.descriptor(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  EXPECT_EQ(bind(socket.descriptor(), address.get(), address.bytes), 0);
  if (kind == SOCK_STREAM) {
    EXPECT_EQ(listen(socket.descriptor(), 4), 0);
  }
  address.bytes = sizeof address.storage;
  getsockname(socket.descriptor(), address.get(), &address.bytes);
  port = io::to_endpoint(address.storage).port;
  return socket;
}

std::string take(const io::File& socket) {
  std::array<char, 65536> room;
  const ssize_t count = recv(socket.descriptor(), room.data(), room.size(), MSG_DONTWAIT);
  return count <= 0 ? "" : std::string(room.data(), static_cast<std::size_t>(count));
}

struct StatsSinkFixture {
  EventLoop loop;
  Log log{LogLevel::err, [](std::string_view) {}};
  Resolver resolver{loop};
  template <class Done>
  bool run_until(Done done) {
    const Instant until = EventLoop::now() + 10s;
    while (!done()) {
      if (EventLoop::now() >= until) return false;
      loop.turn(5ms);
    }
    return true;
  }
};

TEST(StatsSink, PacketsOfWholeLines) {
  StatsSinkFixture f;
  std::uint16_t port = 0;
  const io::File socket = server(SOCK_DGRAM, port);
  StatsSink sink(f.loop, f.resolver, f.log,
                 {.kind = StatsSink::Kind::statsd,
                  .address = "127.0.0.1:" + std::to_string(port),
                  .flush_interval = 10ms});
  std::string all;
  for (int i = 0; i < 200; ++i) {
    const std::string line = "serf-agent.name-" + std::to_string(i) + ":1.000000|c\n";
    sink.add(line);
    all += line;
  }
  std::string got;
  ASSERT_TRUE(f.run_until([&] {
    for (std::string packet = take(socket); !packet.empty(); packet = take(socket)) {
      EXPECT_LE(packet.size(), StatsSink::packet_bytes_max);
      EXPECT_TRUE(packet.ends_with('\n'));
      got += packet;
    }
    return got.size() >= all.size();
  }));
  EXPECT_EQ(got, all);
}

TEST(StatsSink, AStreamComesBackWithAWholeLine) {
  StatsSinkFixture f;
  std::uint16_t port = 0;
  io::File listener = server(SOCK_STREAM, port);
  StatsSink sink(f.loop, f.resolver, f.log,
                 {.kind = StatsSink::Kind::statsite,
                  .address = "127.0.0.1:" + std::to_string(port),
                  .flush_interval = 1ms,
                  .retry_interval = 10ms});
  io::File client;
  std::string got;
  const auto lines_come = [&](std::string_view wanted) {
    return f.run_until([&] {
      if (!client.open()) {
        client = io::File(accept4(listener.descriptor(), nullptr, nullptr, SOCK_NONBLOCK));
      }
      if (client.open()) got += take(client);
      return got == wanted;
    });
  };
  sink.add("a:1|c\n");
  ASSERT_TRUE(lines_come("a:1|c\n")) << got;
  client.close();
  got.clear();
  ASSERT_TRUE(f.run_until([&] {
    client = io::File(accept4(listener.descriptor(), nullptr, nullptr, SOCK_NONBLOCK));
    return client.open();
  }));
  sink.add("b:1|c\n");
  EXPECT_TRUE(lines_come("b:1|c\n")) << got;
}

TEST(StatsSink, WithoutAServerLinesAreBounded) {
  StatsSinkFixture f;
  StatsSink sink(f.loop, f.resolver, f.log,
                 {.kind = StatsSink::Kind::statsite, .address = "127.0.0.1:1"});
  const std::string line(100, 'x');
  for (std::size_t i = 0; i < StatsSink::lines_bytes_max / 100 + 10; ++i) sink.add(line);
  EXPECT_GE(sink.dropped(), 9U);
  ASSERT_TRUE(f.run_until([&] { return !f.log.ring().empty(); }));
  EXPECT_NE(f.log.ring().back().text.find("metrics to 127.0.0.1:1: connection refused"),
            std::string::npos)
      << f.log.ring().back().text;
}

}  // namespace
}  // namespace starling::agent
