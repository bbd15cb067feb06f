#include "io/thread/lane_thread.h"

#include <gtest/gtest.h>

#include "io/open.h"
#include "io/thread/doorbell.h"
#include "tests/io/conformance/harness.h"
#include "tests/io/thread/scripted_lane.h"

namespace starling::io {

namespace {

using std::chrono::milliseconds;

std::unique_ptr<Ports> loopback_ports() {
  auto opened = open_ports({.bind = loopback_v4()});
  EXPECT_TRUE(opened) << opened.error();
  return std::move(opened->ports);
}

TEST(LaneThread, AnswersDatagramsAndStreams) {
  const std::unique_ptr<Ports> ports = loopback_ports();
  EchoLane lane;
  auto thread = LaneThread::start(lane, *ports, [] {}, {});
  ASSERT_TRUE(thread) << thread.error();

  Side client{loopback_ports(), {}};
  for (int i = 0; i < 300; ++i) send_text(*client.ports, ports->bound(), std::to_string(i));
  EXPECT_EQ(receive_texts(*client.ports, 300).size(), 300U);

  client.connect(StreamId{1}, ports->bound());
  ASSERT_TRUE(until([&] { return client.seen.count(StreamEvent::Kind::connected) == 1; },
                    [&] { client.turn(); }));
  client.write(StreamId{1}, "hello");
  ASSERT_TRUE(until([&] { return client.seen.count(StreamEvent::Kind::closed) == 1; },
                    [&] { client.turn(); }));
  EXPECT_EQ(client.seen.bytes_of(StreamId{1}), "hello");
  (*thread)->stop();
  EXPECT_FALSE(lane.went_backwards);
}

TEST(LaneThread, OffersAgainWhatTheLaneDidNotTake) {
  const std::unique_ptr<Ports> ports = loopback_ports();
  EchoLane lane;
  lane.taken_max = 3;
  auto thread = LaneThread::start(lane, *ports, [] {}, {});
  ASSERT_TRUE(thread);
  const std::unique_ptr<Ports> client = loopback_ports();
  std::vector<std::string> expected, seen;
  for (int i = 0; i < 500; ++i) {
    expected.push_back(std::to_string(i));
    send_text(*client, ports->bound(), expected.back());
  }
  for (const Received& received : receive_texts(*client, 500)) seen.push_back(received.text);
  EXPECT_EQ(seen, expected);  // and in order
}

TEST(LaneThread, AnIdleLaneSleeps) {
  const std::unique_ptr<Ports> ports = loopback_ports();
  EchoLane lane;
  lane.sleep = milliseconds(20);
  auto thread = LaneThread::start(lane, *ports, [] {}, {});
  ASSERT_TRUE(thread);
  std::this_thread::sleep_for(milliseconds(200));
  (*thread)->stop();
  EXPECT_GE(lane.polls, 2U);
  EXPECT_LE(lane.polls, 40U);
}

TEST(LaneThread, ASpinningLaneDoesNotSleepAtOnce) {
  const std::unique_ptr<Ports> ports = loopback_ports();
  EchoLane lane;
  auto thread = LaneThread::start(lane, *ports, [] {},
                                  {.name = "spin", .core = {}, .run = {milliseconds(50)}});
  ASSERT_TRUE(thread);
  std::this_thread::sleep_for(milliseconds(100));
  (*thread)->stop();
  EXPECT_GT(lane.polls, 50U);
}

TEST(LaneThread, StopsWhileAsleepAndTellsOfTurnsWithNews) {
  const std::unique_ptr<Ports> ports = loopback_ports();
  EchoLane lane;
  Doorbell bell;
  ASSERT_TRUE(bell.open());
  auto thread =
      LaneThread::start(lane, *ports, [&] { bell.ring(); }, {.name = "a-long-name-it-is"});
  ASSERT_TRUE(thread);
  EXPECT_FALSE(bell.wait(milliseconds(50))) << "nothing has happened";
  const std::unique_ptr<Ports> other = loopback_ports();
  send_text(*other, ports->bound(), "news");
  EXPECT_TRUE(bell.wait(std::chrono::seconds(5)));
  const Instant before = MonotonicClock::now();
  (*thread)->stop();
  (*thread)->stop();
  EXPECT_LT(MonotonicClock::now() - before, std::chrono::seconds(5));
}

TEST(LaneThread, BindsToACoreOrSaysWhyNot) {
  const std::unique_ptr<Ports> ports = loopback_ports();
  EchoLane lane;
  {
    auto thread = LaneThread::start(lane, *ports, [] {}, {.name = "bound", .core = 0});
    const std::string error = thread ? "bind to core 0: " : thread.error();
    EXPECT_TRUE(error.starts_with("bind to core 0: ")) << error;
  }
  const std::unique_ptr<Ports> more = loopback_ports();
  auto nowhere = LaneThread::start(lane, *more, [] {}, {.name = "nowhere", .core = 100'000});
  ASSERT_FALSE(nowhere);
  EXPECT_TRUE(nowhere.error().starts_with("core 100000: this machine has ")) << nowhere.error();
}

}  // namespace

}  // namespace starling::io
