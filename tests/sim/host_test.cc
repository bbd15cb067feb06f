#include "sim/host.h"

#include <gtest/gtest.h>

#include "tests/sim/nodes.h"

namespace starling::sim {
namespace {

const Instant start{std::chrono::hours(1)};

class Recorder : public HostOutlet {
 public:
  void on_packet(NodeId, const Endpoint& to, Bytes bytes) override {
    packets.push_back({to, std::string(as_text(bytes))});
  }
  void on_stream_ops(NodeId, std::span<const StreamOp> ops) override {
    for (const StreamOp& op : ops) kinds.push_back(op.kind);
  }
  void on_event(NodeId, const Event& event) override { events += event.kind != Event::Kind::trace; }

  std::vector<std::pair<Endpoint, std::string>> packets;
  std::vector<StreamOp::Kind> kinds;
  std::size_t events = 0;
};

class HostTest : public testing::Test {
 protected:
  EngineOptions options() const {
    EngineOptions options;
    options.name = name_of(a);
    options.advertise = endpoint_of(a);
    options.capacity.members_max = 16;
    options.capacity.event_ring_bytes = 1u << 16;
    options.capacity.command_ring_bytes = 1u << 14;
    return options;
  }
  Datagram ping() {
    std::array<std::byte, 256> room;
    Writer out(room);
    encode(Ping{.sequence = SequenceNumber{77}, .node = name_of(a), .source = {}}, out);
    Datagram datagram{start, 1, b, a, {}};
    datagram.bytes.assign(out.written().begin(), out.written().end());
    return datagram;
  }

  Recorder recorder_;
  Host host_{a, EngineOptions{}.packet_room_bytes(), recorder_};
  Links links_{2, {}, 1};
  Report report_;
  Network network_{links_, Random(1), true, report_};
  Random random_{3};
};

TEST_F(HostTest, AnswersAPingThroughItsOutlet) {
  host_.start(options(), start);
  EXPECT_TRUE(host_.ready(start));
  EXPECT_LT(host_.poll(start, random_, network_, 100), 100U);
  EXPECT_GT(recorder_.events, 0U);
  EXPECT_FALSE(host_.ready(start));
  host_.put(ping(), network_);
  EXPECT_TRUE(host_.ready(start));
  host_.poll(start, random_, network_, 100);
  ASSERT_EQ(recorder_.packets.size(), 1U);
  EXPECT_EQ(recorder_.packets[0].first, endpoint_of(b)) << "no source named: to the sender";
}

TEST_F(HostTest, APausedProcessIsNotPolledAndKeepsItsSocket) {
  host_.start(options(), start);
  host_.poll(start, random_, network_, 100);
  EXPECT_TRUE(host_.pause());
  EXPECT_FALSE(host_.pause()) << "nested: no change";
  host_.put(ping(), network_);
  EXPECT_FALSE(host_.ready(start + std::chrono::hours(1)));
  EXPECT_FALSE(host_.resume());
  EXPECT_TRUE(host_.resume());
  host_.poll(start + std::chrono::seconds(1), random_, network_, 100);
  EXPECT_EQ(recorder_.packets.size(), 1U);
}

TEST_F(HostTest, WithoutAProcessNothingHappens) {
  host_.put(ping(), network_);
  EXPECT_FALSE(host_.ready(start));
  EXPECT_EQ(host_.next_due(), Instant::max());
  EXPECT_FALSE(host_.send({}));
  EXPECT_FALSE(host_.pause());
  host_.start(options(), start);
  host_.put(ping(), network_);
  host_.stop();
  EXPECT_EQ(host_.next_due(), Instant::max());
}

}  // namespace
}  // namespace starling::sim
