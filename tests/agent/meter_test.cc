#include "agent/meter.h"

#include <gtest/gtest.h>

#include <vector>

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

struct MeterFixture {
  Metrics metrics;
  Meter meter{metrics};
  std::vector<std::string> lines;
  MeterFixture() {
    metrics.add_sink([this](std::string_view line) { lines.emplace_back(line); }, "host");
  }
  // The lines of one metric, without prefix and newline.
  std::vector<std::string> of(std::string_view name) {
    const std::string start = "serf-agent." + std::string(name) + ":";
    std::vector<std::string> found;
    for (const std::string& line : lines) {
      if (line.starts_with(start))
        found.push_back(line.substr(start.size(), line.find('\n') - start.size()));
    }
    return found;
  }
};

using Lines = std::vector<std::string>;

TEST(Meter, TellsWhatHasComeSinceTheLastReading) {
  MeterFixture f;
  starling::Stats stats;
  stats.counters.queries_seen = 3;
  stats.counters.bytes_out = 700;
  stats.counters.packets_out = 7;
  stats.counters.serf_messages_in = 2;
  stats.counters.serf_message_bytes_in = 100;
  stats.counters.probes_ended = 1;
  stats.counters.probe_nanoseconds = 2'500'000;
  f.meter.read_engine(stats);
  EXPECT_EQ(f.of("serf.queries"), Lines{"3.000000|c"});
  EXPECT_EQ(f.of("memberlist.udp.sent"), Lines{"700.000000|c"});
  EXPECT_EQ(f.of("serf.msgs.received"), (Lines{"50.000000|ms", "50.000000|ms"}));
  EXPECT_EQ(f.of("memberlist.probeNode"), Lines{"2.500000|ms"});
  EXPECT_EQ(f.of("serf.query_acks"), Lines{}) << "nothing has come";
  f.lines.clear();
  stats.counters.queries_seen = 4;
  f.meter.read_engine(stats);
  EXPECT_EQ(f.of("serf.queries"), Lines{"1.000000|c"});
  EXPECT_EQ(f.of("memberlist.udp.sent"), Lines{});
  EXPECT_EQ(f.of("serf.msgs.received"), Lines{});
}

TEST(Meter, TellsWhatStandsEveryTime) {
  MeterFixture f;
  starling::Stats stats;
  stats.health_score = 2;
  stats.event_queue = 5;
  for (int second = 0; second < 2; ++second) f.meter.read_engine(stats);
  EXPECT_EQ(f.of("host.memberlist.health.score"), (Lines{"2.000000|g", "2.000000|g"}));
  EXPECT_EQ(f.of("serf.queue.Event"), (Lines{"5.000000|ms", "5.000000|ms"}));
  for (int second = 0; second < 11; ++second) f.meter.read_process();
  EXPECT_EQ(f.of("host.runtime.alloc_bytes").size(), 11U);
  const Lines resident = f.of("host.runtime.sys_bytes");
  EXPECT_EQ(resident.size(), 11U);
  EXPECT_GT(std::stod(resident.front()), 100'000);
}

TEST(Meter, TellsTheTimesOfTheSnapshotInMilliseconds) {
  MeterFixture f;
  f.meter.read_snapshot({.lines = 2, .appending = 3ms, .compactions = 0, .compacting = {}});
  EXPECT_EQ(f.of("serf.snapshot.appendLine"), (Lines{"1.500000|ms", "1.500000|ms"}));
  EXPECT_EQ(f.of("serf.snapshot.compact"), Lines{});
  f.meter.read_snapshot({.lines = 2, .appending = 3ms, .compactions = 1, .compacting = 40ms});
  EXPECT_EQ(f.of("serf.snapshot.appendLine").size(), 2U);
  EXPECT_EQ(f.of("serf.snapshot.compact"), Lines{"40.000000|ms"});
}

}  // namespace
}  // namespace starling::agent
