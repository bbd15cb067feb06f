// User events that gossip missed are noticed by the gap in their times, and asked for.
#include "core/shard/event_repair.h"

#include <gtest/gtest.h>

#include "tests/support/node_talk.h"
#include "tests/support/stream_talk.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

EngineOptions calm_options(std::string name, std::uint8_t host) {
  EngineOptions options = LoneNode::options_named(std::move(name));
  options.advertise.address = IpAddress::v4(127, 0, 0, host);
  options.swim.probe_interval = Duration::zero();
  // The first periodic one is due after this at the earliest.
  options.swim.push_pull_interval = 32s;
  return options;
}

UserEvent event_at(std::uint64_t time) {
  return {.time = LamportTime{time}, .name = "deploy", .payload = as_bytes("x")};
}

class EventRepairs : public testing::Test {
 protected:
  EventRepairs() : node_(calm_options("me", 1)) {
    node_.receive_message(Peer{.name = "a", .host = 2}.alive(1));
    node_.receive_message(Peer{.name = "b", .host = 3}.alive(1));
  }
  void hear(std::uint64_t time) { node_.receive(user_datagram(event_at(time))); }
  // Members that are asked within a time. They do not answer.
  std::size_t asked_within(Duration duration) {
    node_.advance(duration);
    std::size_t asked = 0;
    for (const StreamOp& op : node_.take_stream_ops()) {
      asked += op.kind == StreamOp::Kind::connect;
    }
    return asked;
  }
  std::uint64_t repairs() { return node_.stats().counters.event_repairs; }

  LoneNode node_;
};

TEST_F(EventRepairs, NothingIsAskedForWhileNoTimeIsLeftOut) {
  for (std::uint64_t time = 1; time < 20; ++time) hear(time);
  EXPECT_EQ(asked_within(20s), 0u);
}

TEST_F(EventRepairs, WhatArrivesOutOfOrderIsWaitedFor) {
  hear(1);
  hear(3);
  EXPECT_EQ(asked_within(1s), 0u) << "gossip may bring it yet";
  hear(2);
  EXPECT_EQ(asked_within(20s), 0u);
  EXPECT_EQ(repairs(), 0u);
}

TEST_F(EventRepairs, AMissedEventIsAskedForSoon) {
  hear(1);
  hear(3);
  // 2 * 4 * 200 ms of gossip.
  EXPECT_EQ(asked_within(1'500ms), 0u);
  EXPECT_EQ(asked_within(200ms), 1u);
  hear(2);
  EXPECT_EQ(asked_within(20s), 0u);
}

TEST_F(EventRepairs, ATimeThatNobodyUsedIsGivenUpAndTheNextGapIsSeen) {
  hear(1);
  hear(3);
  node_.advance(1'700ms);
  // A try each push_pull_interval / 8.
  EXPECT_EQ(asked_within(25s), 4u) << "with the one before";
  EXPECT_EQ(repairs(), 4u);
  hear(4);
  node_.advance(4s);
  EXPECT_EQ(repairs(), 4u);
  hear(6);
  node_.advance(2s);
  EXPECT_EQ(repairs(), 5u);
}

TEST_F(EventRepairs, AGapThatComesWhileAnotherIsLookedAtIsLookedAtNext) {
  hear(1);
  hear(3);
  node_.advance(1s);
  hear(5);
  hear(2);
  node_.advance(700ms);
  EXPECT_EQ(repairs(), 0u) << "the first is filled; the second has its time";
  node_.advance(1'700ms);
  EXPECT_EQ(repairs(), 1u);
}

TEST_F(EventRepairs, TimesBeforeTheJoinAreNotMissed) {
  EngineOptions options = calm_options("me", 1);
  options.serf.event_minimum = LamportTime{90};
  LoneNode node(options);
  node.receive_message(Peer{.name = "a", .host = 2}.alive(1));
  node.receive(user_datagram(event_at(90)));
  node.advance(20s);
  EXPECT_EQ(node.stats().counters.event_repairs, 0u);
  node.receive(user_datagram(event_at(92)));
  node.advance(2s);
  EXPECT_EQ(node.stats().counters.event_repairs, 1u);
}

TEST_F(EventRepairs, AClockAtTheEndOfTimeCostsNoMoreThanARing) {
  hear(1);
  hear(UINT64_MAX);
  node_.advance(60s);
  EXPECT_LE(repairs(), 8u);
}

TEST(EventRepairOfTwo, TheEventIsDeliveredOnce) {
  LoneNode asker(calm_options("asker", 2)), holder(calm_options("holder", 3));
  asker.receive_message(Peer{.name = "holder", .host = 3}.alive(1));
  holder.receive_message(Peer{.name = "asker", .host = 2}.alive(1));
  for (const std::uint64_t time : {1u, 2u, 3u, 4u}) {
    holder.receive(user_datagram(event_at(time)));
    if (time != 2) asker.receive(user_datagram(event_at(time)));
  }
  holder.take_stream_ops();
  asker.advance(1'700ms);
  asker.take_events();
  exchange(asker, holder);
  std::vector<std::uint64_t> times;
  for (const KeptEvent& kept : asker.take_events()) {
    if (kept.event.kind == Event::Kind::user) times.push_back(to_number(kept.event.time));
  }
  EXPECT_EQ(times, std::vector<std::uint64_t>{2});
  EXPECT_EQ(asker.stats().counters.user_events_duplicate, 3u);
  asker.advance(10s);
  EXPECT_EQ(asker.stats().counters.event_repairs, 1u);
}

}  // namespace
}  // namespace starling::test
