#include "agent/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

struct MetricsFixture {
  Metrics::Wall now{std::chrono::seconds(1'800'000'000)};
  Metrics metrics{[this] { return now; }};
};

TEST(Metrics, DumpsIntervalsThatHaveEnded) {
  MetricsFixture f;
  f.metrics.count("serf.events");
  f.metrics.count("serf.events");
  f.metrics.gauge("runtime.sys_bytes", 5);
  f.metrics.gauge("runtime.sys_bytes", 7);
  f.metrics.sample("serf.queue.Event", 1);
  f.metrics.sample("serf.queue.Event", 3);
  EXPECT_EQ(f.metrics.dump(), "") << "this one goes on";
  f.now += 10s;
  EXPECT_EQ(f.metrics.dump(),
            "[2027-01-15 08:00:00 +0000 UTC][G] 'serf-agent.runtime.sys_bytes': 7.000\n"
            "[2027-01-15 08:00:00 +0000 UTC][C] 'serf-agent.serf.events': Count: 2 Sum: 2.000 "
            "LastUpdated: 2027-01-15 08:00:00 +0000 UTC\n"
            "[2027-01-15 08:00:00 +0000 UTC][S] 'serf-agent.serf.queue.Event': Count: 2 Min: 1.000 "
            "Mean: 2.000 Max: 3.000 Stddev: 1.414 Sum: 4.000 LastUpdated: 2027-01-15 08:00:00 "
            "+0000 UTC\n");
}

TEST(Metrics, AMinuteIsKept) {
  MetricsFixture f;
  for (int i = 0; i < 20; ++i) {
    f.metrics.count("a");
    f.now += 10s;
  }
  const std::string dump = f.metrics.dump();
  EXPECT_EQ(std::ranges::count(dump, '\n'), 6);
}

TEST(Metrics, SinksGetStatsdLines) {
  MetricsFixture f;
  std::string sent;
  f.metrics.add_sink([&](std::string_view line) { sent += line; }, "host");
  f.metrics.count("serf.events.a b:c\nd", {.sum = 2, .times = 2});
  f.metrics.gauge("runtime.sys_bytes", 1.5);
  f.metrics.sample("agent.invoke.x", 0.25);
  EXPECT_EQ(sent,
            "serf-agent.serf.events.a_b_c_d:2.000000|c\n"
            "serf-agent.host.runtime.sys_bytes:1.500000|g\n"
            "serf-agent.agent.invoke.x:0.250000|ms\n");
}

TEST(Metrics, SumsAreSentWithTheirCountAndMean) {
  MetricsFixture f;
  std::string sent;
  f.metrics.add_sink([&](std::string_view line) { sent += line; }, "host");
  f.metrics.sample("serf.msgs.sent", {.sum = 90, .times = 3});
  f.metrics.count("memberlist.udp.sent", {.sum = 500, .times = 5});
  f.metrics.sample("serf.msgs.sent", {.sum = 0, .times = 0});
  f.metrics.count("memberlist.udp.sent", {.sum = 0, .times = 0});
  EXPECT_EQ(sent,
            "serf-agent.serf.msgs.sent:30.000000|ms\n"
            "serf-agent.serf.msgs.sent:30.000000|ms\n"
            "serf-agent.serf.msgs.sent:30.000000|ms\n"
            "serf-agent.memberlist.udp.sent:500.000000|c\n");
  f.metrics.sample("serf.msgs.sent", {.sum = 10, .times = 1});
  f.now += 10s;
  const std::string dump = f.metrics.dump();
  EXPECT_TRUE(dump.contains("udp.sent': Count: 5 Sum: 500.000 ")) << dump;
  EXPECT_TRUE(dump.contains("msgs.sent': Count: 4 Min: 10.000 Mean: 25.000 Max: 30.000")) << dump;
}

TEST(Metrics, SumsOfManyAreSentAsAFewWithARate) {
  MetricsFixture f;
  std::vector<std::string> lines;
  f.metrics.add_sink([&](std::string_view line) { lines.emplace_back(line); }, "host");
  f.metrics.sample("x", {.sum = 16'000'000, .times = 8'000'000});
  ASSERT_EQ(lines.size(), Metrics::sample_lines_max);
  for (const std::string& line : lines) {
    EXPECT_EQ(line, "serf-agent.x:2.000000|ms|@0.000002000000\n");
  }
}

TEST(Metrics, NamesAreBounded) {
  MetricsFixture f;
  for (std::size_t i = 0; i < Metrics::names_max + 5; ++i) {
    f.metrics.count("serf.events." + std::to_string(i));
  }
  EXPECT_EQ(f.metrics.dropped(), 5U);
  f.metrics.count("serf.events.0");
  EXPECT_EQ(f.metrics.dropped(), 5U);
}

}  // namespace
}  // namespace starling::agent
