#include "sim/streams.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/sim/nodes.h"

namespace starling::sim {
namespace {

using Kind = StreamEvent::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr StreamId dialled{5};

// What one side heard, with the bytes of its readable events joined.
struct Heard {
  Instant at;
  NodeId node;
  Kind kind;
  StreamId stream;
  int error_number;
  std::size_t bytes;
};

class StreamsTest : public testing::Test {
 protected:
  StreamsTest() {
    for (const NodeId node : {a, b, c}) streams_.set_running(now_, node, true);
  }
  void op(NodeId node, StreamOp op) { streams_.submit(now_, node, {&op, 1}); }
  void connect(NodeId from, NodeId to) {
    op(from, {StreamOp::Kind::connect, dialled, endpoint_of(to), {}});
  }
  void write(NodeId node, StreamId id, std::string_view text) {
    op(node, {StreamOp::Kind::write, id, {}, as_bytes(text)});
  }
  void close(NodeId node, StreamId id) { op(node, {StreamOp::Kind::close, id, {}, {}}); }
  void finish(NodeId node, StreamId id) { op(node, {StreamOp::Kind::finish, id, {}, {}}); }

  // Runs until nothing is due any more, at most for `at_most`.
  void run(Duration at_most = seconds(120)) {
    const Instant end = now_ + at_most;
    while (streams_.next_due() <= end) {
      now_ = std::max(now_, streams_.next_due());
      while (std::optional<StreamDelivery> each = streams_.pop_due(now_)) {
        heard_.push_back({now_, each->node, each->event.kind, each->event.stream,
                          each->event.error_number, each->event.bytes.size()});
        if (each->event.kind == Kind::accepted) accepted_ = each->event.stream;
        if (each->event.kind == Kind::readable) {
          read_[index_of(each->node)] += as_text(each->event.bytes);
        }
      }
    }
    now_ = end;
  }
  std::size_t count(NodeId node, Kind kind) const {
    return static_cast<std::size_t>(
        std::count_if(heard_.begin(), heard_.end(),
                      [&](const Heard& each) { return each.node == node && each.kind == kind; }));
  }
  const Heard* first(NodeId node, Kind kind) const {
    for (const Heard& each : heard_) {
      if (each.node == node && each.kind == kind) return &each;
    }
    return nullptr;
  }

  Links links_{3, {}, 5};
  Report report_;
  Streams streams_{links_, Random(11), report_};
  Instant now_{seconds(1)};
  std::vector<Heard> heard_;
  std::string read_[3];
  StreamId accepted_{};
};

TEST_F(StreamsTest, ConnectsAndCarriesBothWaysInOrder) {
  connect(a, b);
  run(milliseconds(50));
  EXPECT_EQ(count(b, Kind::accepted), 1U);
  EXPECT_EQ(count(a, Kind::connected), 1U);
  EXPECT_TRUE(is_accepted(accepted_));

  std::string request;
  for (int i = 0; i < 3000; ++i) request += std::to_string(i) + ",";
  write(a, dialled, request);
  run(seconds(1));
  EXPECT_EQ(read_[1], request);
  EXPECT_EQ(count(a, Kind::written), 1U);
  EXPECT_GT(count(b, Kind::readable), 3U) << "it should arrive in pieces";

  write(b, accepted_, "answer");
  run(milliseconds(50));
  finish(b, accepted_);
  run(milliseconds(50));
  EXPECT_EQ(read_[0], "answer");
  EXPECT_EQ(count(a, Kind::closed), 1U);
  EXPECT_EQ(streams_.open_connections(), 0U);
}

TEST_F(StreamsTest, FinishRightBehindAWriteLosesNothing) {
  connect(a, b);
  run(milliseconds(50));
  const std::string big(300'000, 'x');  // several windows
  write(a, dialled, big);
  finish(a, dialled);
  run(seconds(5));
  EXPECT_EQ(read_[1].size(), big.size());
  EXPECT_EQ(count(a, Kind::written), 1U);
  EXPECT_EQ(count(b, Kind::closed), 1U);
  EXPECT_EQ(streams_.open_connections(), 0U);
}

TEST_F(StreamsTest, NobodyListeningIsRefused) {
  streams_.set_running(now_, b, false);
  connect(a, b);
  run();
  ASSERT_NE(first(a, Kind::failed), nullptr);
  EXPECT_EQ(first(a, Kind::failed)->error_number, ECONNREFUSED);
  EXPECT_EQ(streams_.open_connections(), 0U);
}

TEST_F(StreamsTest, AnUnknownAddressIsUnreachable) {
  op(a, {StreamOp::Kind::connect, dialled, {IpAddress::v4(192, 168, 1, 1), 1}, {}});
  run();
  ASSERT_NE(first(a, Kind::failed), nullptr);
  EXPECT_EQ(first(a, Kind::failed)->error_number, EHOSTUNREACH);
}

TEST_F(StreamsTest, ADarkMachineTimesOutLate) {
  links_.set_dark(b, true);
  streams_.set_running(now_, b, false);
  connect(a, b);
  run(seconds(20));
  EXPECT_EQ(first(a, Kind::failed), nullptr) << "the lane's own deadline comes first";
  run(seconds(300));
  ASSERT_NE(first(a, Kind::failed), nullptr);
  EXPECT_EQ(first(a, Kind::failed)->error_number, ETIMEDOUT);
}

TEST_F(StreamsTest, AConnectSurvivesAShortPartition) {
  links_.split(1, {0, 1, 1});
  connect(a, b);
  run(seconds(2));
  EXPECT_EQ(count(a, Kind::connected), 0U);
  links_.heal(1);
  run(seconds(10));
  EXPECT_EQ(count(a, Kind::connected), 1U);
}

TEST_F(StreamsTest, ClosingAPendingConnectEndsIt) {
  connect(a, b);
  close(a, dialled);
  run();
  EXPECT_EQ(count(a, Kind::connected), 0U);
  EXPECT_EQ(count(b, Kind::accepted), 0U);
  EXPECT_EQ(streams_.open_connections(), 0U);
}

TEST_F(StreamsTest, ACrashResetsThePeerAndAnIdIsFreeAfterwards) {
  connect(a, b);
  run(milliseconds(50));
  streams_.set_running(now_, b, false);
  run(milliseconds(50));
  ASSERT_NE(first(a, Kind::failed), nullptr);
  EXPECT_EQ(first(a, Kind::failed)->error_number, ECONNRESET);
  EXPECT_EQ(streams_.open_connections(), 0U);
  streams_.set_running(now_, b, true);
  connect(a, b);
  run(milliseconds(50));
  EXPECT_EQ(count(a, Kind::connected), 2U);
}

TEST_F(StreamsTest, WritingToAClosedPeerIsReset) {
  connect(a, b);
  run(milliseconds(50));
  write(a, dialled, "to nobody");
  close(b, accepted_);
  run(milliseconds(50));
  EXPECT_EQ(read_[1], "");
  EXPECT_EQ(count(a, Kind::failed) + count(a, Kind::closed), 1U);
}

TEST_F(StreamsTest, APausedReaderShutsTheWindow) {
  connect(a, b);
  run(milliseconds(50));
  streams_.set_paused(now_, b, true);
  const std::string big(200'000, 'y');
  write(a, dialled, big);
  run(seconds(30));
  EXPECT_EQ(read_[1], "");
  EXPECT_EQ(count(a, Kind::written), 0U) << "more than a window is not taken";
  streams_.set_paused(now_, b, false);
  run(seconds(5));
  EXPECT_EQ(read_[1].size(), big.size());
  EXPECT_EQ(count(a, Kind::written), 1U);
}

TEST_F(StreamsTest, APausedProcessIsStillConnectedTo) {
  streams_.set_paused(now_, b, true);
  connect(a, b);
  run(seconds(1));
  EXPECT_EQ(count(a, Kind::connected), 1U) << "the kernel answers for it";
  EXPECT_EQ(count(b, Kind::accepted), 0U);
  streams_.set_paused(now_, b, false);
  run(seconds(1));
  EXPECT_EQ(count(b, Kind::accepted), 1U);
}

TEST_F(StreamsTest, ASlowStreamTakesItsTime) {
  connect(a, b);
  run(milliseconds(50));
  streams_.conditions().bytes_per_s = 1000;
  const Instant start = now_;
  write(a, dialled, std::string_view("0123456789"));
  const std::string two_kilobytes(2000, 'z');
  run(seconds(1));
  write(a, dialled, two_kilobytes);
  run(seconds(30));
  EXPECT_EQ(read_[1].size(), 2010U);
  EXPECT_GE(heard_.back().at - start, seconds(2));
}

TEST_F(StreamsTest, LossDelaysButKeepsOrder) {
  connect(a, b);
  run(milliseconds(50));
  streams_.conditions().loss = 0.3;
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i) + ";";
  write(a, dialled, text);
  run(seconds(60));
  EXPECT_EQ(read_[1], text);
}

TEST_F(StreamsTest, APartitionResetsSomeAndStallsOthers) {
  std::size_t reset = 0, stalled = 0;
  for (std::uint32_t i = 0; i < 40; ++i) {
    const StreamId id{100 + i};
    op(a, {StreamOp::Kind::connect, id, endpoint_of(b), {}});
    run(milliseconds(20));
    write(a, id, "before");
    links_.split(1, {0, 1, 1});
    streams_.on_partition(now_);
    heard_.clear();
    run(seconds(2));
    links_.heal(1);
    const bool failed = count(a, Kind::failed) == 1;
    reset += failed;
    stalled += !failed;
    if (!failed) close(a, id);
    run(seconds(60));
  }
  EXPECT_GT(reset, 5U);
  EXPECT_GT(stalled, 5U);
  EXPECT_EQ(streams_.open_connections(), 0U);
}

}  // namespace
}  // namespace starling::sim
