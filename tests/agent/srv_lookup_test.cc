#include "agent/srv_lookup.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <thread>

#include "agent/addresses.h"
#include "io/address.h"
#include "io/file.h"

namespace starling::agent {
namespace {

using Octets = std::string;

Octets name_of(std::string_view dotted) {
  Octets out;
  while (!dotted.empty()) {
    const std::string_view label = dotted.substr(0, dotted.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    dotted.remove_prefix(std::min(label.size() + 1, dotted.size()));
  }
  return out + '\0';
}
Octets u16(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}
// The records of an answer whose question stands at offset 12.
Octets srv(unsigned priority, unsigned weight, unsigned port, std::string_view host) {
  const Octets data = u16(priority) + u16(weight) + u16(port) + name_of(host);
  return Octets("\xc0\x0c") + u16(33) + u16(1) + Octets(4, '\0') +
         u16(static_cast<unsigned>(data.size())) + data;
}

// A name server that answers one question after the other with the same records.
class NameServer {
 public:
  NameServer(unsigned code, unsigned answers, Octets records)
      : socket_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    io::SocketAddress address;
    io::to_socket_address({IpAddress::v4(127, 0, 0, 1), 0}, AF_INET, io::Zone::none, address);
    EXPECT_EQ(bind(socket_.descriptor(), address.get(), address.bytes), 0);
    address.bytes = sizeof address.storage;
    getsockname(socket_.descriptor(), address.get(), &address.bytes);
    endpoint = io::to_endpoint(address.storage);
    thread_ = std::thread([this, code, answers, records] {
      pollfd entry{.fd = socket_.descriptor(), .events = POLLIN, .revents = 0};
      while (!done_ && poll(&entry, 1, 50) >= 0) {
        if ((entry.revents & POLLIN) == 0) continue;
        io::SocketAddress from;
        from.bytes = sizeof from.storage;
        std::array<char, 512> room;
        const ssize_t count =
            recvfrom(socket_.descriptor(), room.data(), room.size(), 0, from.get(), &from.bytes);
        if (count < 12) continue;
        Octets reply(room.data(), static_cast<std::size_t>(count));
        const std::size_t question = reply.find('\0', 12) + 5;
        reply.resize(question);
        reply[2] = static_cast<char>(0x81);
        reply[3] = static_cast<char>(0x80 | code);
        reply.replace(6, 6, u16(answers) + u16(0) + u16(0));
        reply += records;
        sendto(socket_.descriptor(), reply.data(), reply.size(), 0, from.get(), from.bytes);
      }
    });
  }
  ~NameServer() {
    done_ = true;
    thread_.join();
  }
  Endpoint endpoint;

 private:
  io::File socket_;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

TEST(SrvLookup, ServiceNames) {
  EXPECT_TRUE(is_service_name("_serf._tcp.example.com"));
  EXPECT_FALSE(is_service_name("_serf._tcp"));
  EXPECT_FALSE(is_service_name("_serf.example.com"));
  EXPECT_FALSE(is_service_name("a._serf._tcp.example.com"));
  EXPECT_FALSE(is_service_name("10.0.0.1"));
}

TEST(SrvLookup, PlacesByPriorityAndWeight) {
  const NameServer server(0, 3,
                          srv(20, 1, 7001, "late.example.com") +
                              srv(10, 1, 7002, "light.example.com") +
                              srv(10, 9, 7003, "heavy.example.com"));
  const auto places = look_up_service("_serf._tcp.example.com", server.endpoint);
  ASSERT_TRUE(places) << places.error();
  ASSERT_EQ(places->size(), 3U);
  EXPECT_EQ((*places)[0].host, "heavy.example.com");
  EXPECT_EQ((*places)[0].port, 7003);
  EXPECT_EQ((*places)[1].host, "light.example.com");
  EXPECT_EQ((*places)[2].port, 7001);
}

TEST(SrvLookup, Errors) {
  const NameServer unknown(3, 0, "");
  EXPECT_EQ(look_up_service("_a._tcp.b", unknown.endpoint).error(),
            "lookup _a._tcp.b: no such host");
  const NameServer not_here(0, 1, srv(0, 0, 0, ""));
  EXPECT_EQ(look_up_service("_a._tcp.b", not_here.endpoint).error(),
            "lookup _a._tcp.b: no such host");
}

TEST(SrvLookup, AnswersThatCannotBeRead) {
  EXPECT_FALSE(read_service_answer(as_bytes("short")));
  std::string answer = Octets(4, '\0') + u16(1) + u16(1) + u16(0) + u16(0) + name_of("_a._b.c") +
                       u16(33) + u16(1) + srv(1, 2, 3, "h.example");
  ASSERT_TRUE(read_service_answer(as_bytes(answer)));
  EXPECT_EQ(read_service_answer(as_bytes(answer))->at(0).host, "h.example");
  for (std::size_t size = 0; size < answer.size(); ++size) {
    const auto cut = read_service_answer(as_bytes(answer).first(size));
    EXPECT_FALSE(cut && !cut->empty()) << size;
  }
}

}  // namespace
}  // namespace starling::agent
