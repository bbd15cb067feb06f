#include "io/faulty/streams.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "io/faulty/ports.h"
#include "io/memory/network.h"
#include "tests/io/conformance/harness.h"

namespace starling::io {

namespace {

using Kind = StreamEvent::Kind;
using std::chrono::milliseconds;
constexpr StreamId dialled{3};

class FaultyStreamsTest : public testing::Test {
 protected:
  FaultyStreamsTest() {
    auto inner = network.open({.bind = loopback_v4()});
    auto ports = FaultyPorts::create(std::move(*inner), {.seed = 11});
    faulty = ports->get();
    a.ports = std::move(*ports);
    b.ports = std::move(*network.open({.bind = loopback_v4()}));
  }
  bool turn_until(const std::function<bool()>& done) {
    return until(done, [&] {
      a.turn();
      b.turn();
    });
  }
  void connect() {
    a.connect(dialled, b.ports->bound());
    ASSERT_TRUE(turn_until(
        [&] { return a.seen.count(Kind::connected) == 1 && b.seen.count(Kind::accepted) == 1; }));
    accepted = b.seen.first(Kind::accepted).stream;
  }

  MemoryNetwork network;
  Side a, b;
  FaultyPorts* faulty = nullptr;
  StreamId accepted{};
};

TEST_F(FaultyStreamsTest, RefusesConnects) {
  faulty->controls().set({.outgoing = {}, .incoming = {}, .streams = {.refusal = 1}});
  a.connect(dialled, b.ports->bound());
  ASSERT_TRUE(turn_until([&] { return a.seen.count(Kind::failed) == 1; }));
  EXPECT_EQ(a.seen.events[0].error_number, ECONNREFUSED);
  EXPECT_TRUE(b.seen.events.empty());
  faulty->controls().set({});
  connect();
  EXPECT_EQ(faulty->streams_done().refused, 1U);
}

TEST_F(FaultyStreamsTest, ResetsWhileReading) {
  connect();
  faulty->controls().set({.outgoing = {}, .incoming = {}, .streams = {.reset = 1}});
  b.write(accepted, "never read");
  ASSERT_TRUE(turn_until([&] { return a.seen.count(Kind::failed) == 1; }));
  EXPECT_EQ(a.seen.first(Kind::failed).error_number, ECONNRESET);
  EXPECT_EQ(a.seen.count(Kind::readable), 0U);
  ASSERT_TRUE(
      turn_until([&] { return b.seen.count(Kind::closed) + b.seen.count(Kind::failed) == 1; }));
  EXPECT_EQ(a.seen.events.size(), 2U);  // connected, failed, and nothing after that
}

TEST_F(FaultyStreamsTest, ASlowWriteArrivesWholeAndInOrder) {
  connect();
  faulty->controls().set({.outgoing = {},
                          .incoming = {},
                          .streams = {.piece_bytes = 1'000, .pause = milliseconds(2)}});
  std::string text;
  for (int i = 0; i < 2'500; ++i) text += std::to_string(i % 10);
  const Instant before = MonotonicClock::now();
  a.write(dialled, text);
  a.finish(dialled);
  ASSERT_TRUE(turn_until([&] { return b.seen.count(Kind::closed) == 1; }));
  EXPECT_GE(MonotonicClock::now() - before, milliseconds(4));
  EXPECT_EQ(b.seen.bytes_of(accepted), text);
  EXPECT_GE(b.seen.count(Kind::readable), 3U);
  EXPECT_EQ(a.seen.count(Kind::written), 1U);
  ASSERT_TRUE(turn_until([&] { return a.seen.count(Kind::closed) == 1; }));
}

TEST_F(FaultyStreamsTest, CloseEndsASlowWrite) {
  connect();
  faulty->controls().set({.outgoing = {},
                          .incoming = {},
                          .streams = {.piece_bytes = 10, .pause = std::chrono::seconds(60)}});
  a.write(dialled, "more than ten bytes of text");
  a.close(dialled);
  ASSERT_TRUE(
      turn_until([&] { return b.seen.count(Kind::closed) + b.seen.count(Kind::failed) == 1; }));
  EXPECT_EQ(b.seen.bytes_of(accepted).size(), 10U);
  EXPECT_EQ(a.seen.count(Kind::written), 0U);
}

}  // namespace

}  // namespace starling::io
