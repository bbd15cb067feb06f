// Real nodes of several lanes on loopback: threads, sockets and mail together.
#include "io/thread/lane_group.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "io/mapped_memory.h"
#include "io/open.h"
#include "tests/io/conformance/harness.h"

namespace starling::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// One node: an engine, its ports, its threads, and what its owner has heard.
class RunningNode {
 public:
  RunningNode(const std::string& name, std::uint32_t lanes, PortChoice choice) {
    auto opened = open_lane_ports({.bind = loopback_v4(), .choice = choice, .lanes = lanes});
    EXPECT_TRUE(opened) << opened.error();
    std::vector<Ports*> by_lane;
    for (Opened& each : *opened) {
      ports_.push_back(std::move(each.ports));
      by_lane.push_back(ports_.back().get());
    }
    EngineOptions options;
    options.name = name;
    options.advertise = ports_.front()->bound();
    options.meta = "\xff\x80";
    options.seed = 7;
    options.lanes = lanes;
    options.capacity.members_max = 1024;
    options.swim = SwimOptions::of(Profile::local);
    options.swim.probe_interval = milliseconds(100);
    options.swim.probe_timeout = milliseconds(50);
    auto memory = MappedMemory::map({.bytes = Engine::footprint(options)});
    EXPECT_TRUE(memory);
    memory_ = std::move(*memory);
    auto engine = Engine::create(options, memory_.bytes(), MonotonicClock::now());
    EXPECT_TRUE(engine) << engine.error();
    engine_ = std::make_unique<Engine>(std::move(*engine));
    auto group = LaneGroup::start(*engine_, by_lane, [] {}, {.run = {.spin = milliseconds(0)}});
    EXPECT_TRUE(group) << group.error();
    group_ = std::move(*group);
  }
  ~RunningNode() { stop(); }

  void stop() { group_->stop(); }
  Endpoint at() const { return ports_.front()->bound(); }

  void command(Command command) {
    command.token = ++tokens_;
    ASSERT_TRUE(engine_->commands().send(command));
    ports_.front()->wake();
  }
  // What has been heard since; asks for numbers now and then.
  const Stats& look() {
    engine_->events().drain(10'000, [&](const Event& event) {
      if (event.kind == Event::Kind::stats) stats_ = event.stats;
      if (event.kind == Event::Kind::user) ++user_events_;
    });
    command({.kind = Command::Kind::stats});
    return stats_;
  }
  std::size_t user_events() const { return user_events_; }

 private:
  std::vector<std::unique_ptr<Ports>> ports_;
  MappedMemory memory_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<LaneGroup> group_;
  Stats stats_;
  std::size_t user_events_ = 0;
  std::uint64_t tokens_ = 0;
};

class TwoLanes : public testing::TestWithParam<PortChoice> {};

TEST_P(TwoLanes, FormAClusterPassEventsAndNoticeADeath) {
  constexpr std::size_t count = 5;
  std::vector<std::unique_ptr<RunningNode>> nodes;
  for (std::size_t i = 0; i < count; ++i) {
    nodes.push_back(
        std::make_unique<RunningNode>("node" + std::to_string(i), 1 + i % 3, GetParam()));
  }
  for (std::size_t i = 1; i < count; ++i) {
    nodes[i]->command({.kind = Command::Kind::join, .endpoint = nodes[0]->at(), .announce = true});
  }
  const auto everybody = [&](auto&& agrees) {
    for (int tries = 0; tries < 3000; ++tries) {  // a minute at the most
      if (std::ranges::all_of(nodes, agrees)) return true;
      std::this_thread::sleep_for(milliseconds(20));
    }
    return false;
  };
  ASSERT_TRUE(everybody([](auto& node) { return node->look().members_alive == count; }));

  nodes[1]->command(
      {.kind = Command::Kind::user_event, .name = "deploy", .payload = as_bytes("1")});
  EXPECT_TRUE(everybody([](auto& node) {
    node->look();
    return node->user_events() >= 1;
  }));

  nodes.back()->stop();
  nodes.pop_back();
  EXPECT_TRUE(everybody([](auto& node) { return node->look().members_failed == 1; }));
  for (const auto& node : nodes) {
    EXPECT_EQ(node->look().counters.mails_lost, 0u);
    EXPECT_EQ(node->user_events(), 1u);
  }
  EXPECT_GT(nodes[2]->look().counters.mails_sent, 0u) << "three lanes have something to say";
}

INSTANTIATE_TEST_SUITE_P(Ports, TwoLanes, testing::Values(PortChoice::uring, PortChoice::sockets));

}  // namespace
}  // namespace starling::io
