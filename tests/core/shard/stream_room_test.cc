// Floods of streams before a port with few rows and a backlog, and honest exchanges in between.
#include "core/shard/stream_room.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t streams_max = 64;
const IpAddress honest = IpAddress::v4(127, 0, 0, 1), flooder = IpAddress::v4(127, 0, 0, 2);

// A push/pull without nodes.
const ByteVector request = from_hex("0683a44a6f696ec2a54e6f64657300ac5573657253746174654c656e00");

LoneNode node_for_floods(std::uint32_t per_source = 0) {
  EngineOptions options = LoneNode::options_named("me");
  options.capacity.streams_max = streams_max;
  options.capacity.streams_per_source_max = per_source;
  options.swim.probe_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  return LoneNode(options);
}

// Plays the port and all peers. Like the kernel's, the backlog keeps those that come first, and
// drops what is beyond it.
class Door {
 public:
  static constexpr std::size_t backlog_max = 4096;

  explicit Door(LoneNode& node) : node_(node) {}

  // Somebody dials; `asks`: and sends a request at once.
  void dial(const IpAddress& from, bool asks) {
    if (backlog_.size() < backlog_max) backlog_.push_back({from, asks, node_.now()});
  }
  // A byte of a request on each stream of the flooder.
  void drip() {
    for (auto& [id, row] : std::map(rows_)) {
      if (row.asks || row.sent + 1 >= request.size() || !rows_.contains(id)) continue;
      event(id, StreamEvent::Kind::readable, Bytes(request).subspan(rows_[id].sent++, 1));
    }
  }
  // A millisecond: what the node wants is done, then rows are given to those that wait, as a port
  // does in one turn.
  void turn() {
    settle();
    for (int i = 0; i < 16 && rows_.size() < streams_max && !backlog_.empty(); ++i) {
      const Dialled next = backlog_.front();
      backlog_.pop_front();
      const StreamId id{stream_accepted_bit | ++last_};
      rows_[id] = {.from = next.from, .asks = next.asks, .dialled = next.at};
      most_of_flooder = std::max(most_of_flooder, held(flooder));
      event(id, StreamEvent::Kind::accepted, {});
      if (next.asks) event(id, StreamEvent::Kind::readable, request);
      settle();  // of states that are being sent there are few at a time
    }
    settle();
    node_.advance(1ms);
  }
  std::size_t held(const IpAddress& from) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(rows_, [&](const auto& row) { return row.second.from == from; }));
  }

  std::size_t answered = 0, lost = 0;  // of those that asked
  Duration slowest{};
  std::size_t most_of_flooder = 0;

 private:
  struct Dialled {
    IpAddress from;
    bool asks;
    Instant at;
  };
  struct Row {
    IpAddress from;
    bool asks = false;
    Instant dialled;
    bool answered = false;
    std::size_t sent = 0;
  };
  void event(StreamId id, StreamEvent::Kind kind, Bytes bytes) {
    node_.stream_event(
        {.kind = kind, .stream = id, .peer = {rows_[id].from, 40000}, .bytes = bytes});
  }
  void settle() {
    for (auto ops = node_.take_stream_ops(); !ops.empty(); ops = node_.take_stream_ops()) {
      for (const StreamOp& op : ops) {
        const auto at = rows_.find(op.stream);
        if (at == rows_.end()) continue;
        if (op.kind == StreamOp::Kind::write) {
          if (at->second.asks) {
            ++answered;
            slowest = std::max(slowest, node_.now() - at->second.dialled);
          }
          at->second.answered = true;
          event(op.stream, StreamEvent::Kind::written, {});
          continue;
        }
        if (at->second.asks && !at->second.answered) ++lost;
        rows_.erase(at);
      }
    }
  }

  LoneNode& node_;
  std::deque<Dialled> backlog_;
  std::map<StreamId, Row> rows_;
  std::uint32_t last_ = 0;
};

struct Flood {
  int per_second;
  bool drips;
  int sources = 1;
};

// Ten seconds of a flood, an honest exchange twice a second.
Door flooded(LoneNode& node, const Flood& flood) {
  Door door(node);
  int due = 0, dialled = 0;
  for (int ms = 0; ms < 10'000; ++ms) {
    for (due += flood.per_second; due >= 1000; due -= 1000) {
      door.dial(IpAddress::v4(127, 0, 0, static_cast<std::uint8_t>(2 + dialled++ % flood.sources)),
                false);
    }
    if (flood.drips && ms % 10 == 0) door.drip();
    if (ms % 500 == 250) door.dial(honest, true);
    door.turn();
  }
  for (int ms = 0; ms < 1000; ++ms) door.turn();
  return door;
}

TEST(StreamRoom, AFloodOfOneSourceKeepsNobodyOut) {
  for (const Flood& flood :
       {Flood{40, false}, Flood{50, false}, Flood{100, false}, Flood{500, false},
        Flood{2500, false}, Flood{50, true}, Flood{500, true}, Flood{2500, true}}) {
    SCOPED_TRACE(std::to_string(flood.per_second) + (flood.drips ? ", dripping" : ", silent"));
    LoneNode node = node_for_floods();
    const Door door = flooded(node, flood);
    EXPECT_EQ(door.answered, 20u);
    EXPECT_EQ(door.lost, 0u);
    EXPECT_LE(door.slowest, 250ms);
    EXPECT_LE(door.held(flooder), node.options().capacity.source_streams());
  }
}

TEST(StreamRoom, NorDoesOneOfSeveralSources) {
  for (const int sources : {2, 5, 20}) {
    SCOPED_TRACE(sources);
    LoneNode node = node_for_floods();
    const Door door = flooded(node, {.per_second = 300, .drips = false, .sources = sources});
    EXPECT_EQ(door.answered, 20u);
    EXPECT_LE(door.slowest, 500ms);
  }
}

// Half of a large cluster starts at once behind one address: as many as there are places come
// before the first has said what it wants, and none is turned away.
TEST(StreamRoom, ABurstIsNoFlood) {
  LoneNode node = node_for_floods();
  Door door(node);
  for (int i = 0; i < 500; ++i) door.dial(flooder, true);
  for (int ms = 0; ms < 1000; ++ms) door.turn();
  EXPECT_EQ(door.answered, 500u);
  EXPECT_EQ(door.lost, 0u);
  for (std::uint32_t i = 0; i < streams_max; ++i) door.dial(flooder, false);
  for (int ms = 0; ms < 90; ++ms) door.turn();
  EXPECT_EQ(door.held(flooder), streams_max) << "they may be slow";
  for (int ms = 0; ms < 200; ++ms) door.turn();
  EXPECT_EQ(door.held(flooder), node.options().capacity.source_streams());
}

// Whoever sends a large state through a slow line goes on, while those that are silent beside it
// end.
TEST(StreamRoom, WhoSendsOnStays) {
  LoneNode node = node_for_floods();
  const StreamId slow{stream_accepted_bit | 1};
  const auto event = [&](StreamId id, StreamEvent::Kind kind, Bytes bytes) {
    node.stream_event({.kind = kind, .stream = id, .peer = {flooder, 40000}, .bytes = bytes});
  };
  event(slow, StreamEvent::Kind::accepted, {});
  // A user message of 64 KiB.
  event(slow, StreamEvent::Kind::readable,
        from_hex("0881aa557365724d73674c656e"
                 "ce00010000"));
  const ByteVector part(1024, std::byte{1});
  std::uint32_t last = 1;
  for (int ms = 0; ms < 1000; ms += 50) {
    for (int i = 0; i < 5; ++i) {
      event(StreamId{stream_accepted_bit | ++last}, StreamEvent::Kind::accepted, {});
    }
    event(slow, StreamEvent::Kind::readable, part);
    for (const StreamOp& op : node.take_stream_ops()) ASSERT_NE(op.stream, slow) << ms;
    node.advance(50ms);
  }
  EXPECT_LE(node.stats().streams, 1 + node.options().capacity.source_streams());
}

TEST(StreamRoom, ASourceMayBeGivenAllPlaces) {
  LoneNode node = node_for_floods(streams_max);
  Door door(node);
  for (std::uint32_t i = 0; i < streams_max; ++i) door.dial(flooder, false);
  for (int ms = 0; ms < 1000; ++ms) door.turn();
  EXPECT_EQ(door.held(flooder), streams_max);
}

}  // namespace
}  // namespace starling::test
