// Two finders on the loopback interface; between real hosts it is tried by tests/interop.
#include "agent/mdns.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

struct Finder {
  std::vector<std::string> found;
  std::unique_ptr<Mdns> mdns;
  std::string problem;

  Finder(EventLoop& loop, Log& log, std::string name, std::uint8_t host, std::string cluster,
         Duration poll_interval = 200ms) {
    auto started = Mdns::start(loop, log,
                               [this](std::vector<std::string> places) {
                                 found.insert(found.end(), places.begin(), places.end());
                               },
                               {.instance = {.service = mdns_service(cluster),
                                             .instance = std::move(name),
                                             .host = "this-host.",
                                             .address = IpAddress::v4(127, 0, 0, host),
                                             .port = 7946,
                                             .text = "Serf '" + cluster + "' cluster"},
                                .interface = "lo",
                                .ipv6 = false,
                                .seed = host,
                                .poll_interval = poll_interval,
                                .quiet_interval = 20ms});
    if (!started) {
      problem = started.error();
      return;
    }
    mdns = std::move(*started);
  }
};

struct MdnsFixture {
  EventLoop loop;
  Log log{LogLevel::err, [](std::string_view) {}};
  void run(Duration duration) {
    const Instant until = EventLoop::now() + duration;
    while (EventLoop::now() < until) loop.turn(5ms);
  }
};

// Each finds both, itself included, and nobody of another cluster; once.
TEST(Mdns, FindsMembersOfItsCluster) {
  MdnsFixture f;
  const std::string cluster = "test-" + std::to_string(getpid());
  Finder a(f.loop, f.log, "a", 1, cluster), b(f.loop, f.log, "b", 2, cluster);
  Finder c(f.loop, f.log, "c", 3, cluster + "x");
  if (!a.problem.empty()) GTEST_SKIP() << "no multicast here: " << a.problem;
  f.run(700ms);
  for (Finder* finder : {&a, &b}) {
    std::ranges::sort(finder->found);
    EXPECT_EQ(finder->found, (std::vector<std::string>{"127.0.0.1:7946", "127.0.0.2:7946"}));
  }
  EXPECT_EQ(c.found, (std::vector<std::string>{"127.0.0.3:7946"}));
}

TEST(Mdns, Errors) {
  MdnsFixture f;
  const auto start = [&](std::string interface, std::string name) {
    auto started = Mdns::start(f.loop, f.log, [](std::vector<std::string>) {},
                               {.instance = {.service = mdns_service("x"),
                                             .instance = std::move(name),
                                             .host = "h",
                                             .address = IpAddress::v4(127, 0, 0, 1),
                                             .port = 1,
                                             .text = ""},
                                .interface = std::move(interface)});
    return started ? std::string() : started.error();
  };
  EXPECT_EQ(start("nonexistent0", "a"), "Invalid network interface: nonexistent0");
  EXPECT_EQ(start("lo", std::string(64, 'n')), "node name or cluster name is too long for DNS");
}

}  // namespace
}  // namespace starling::agent
