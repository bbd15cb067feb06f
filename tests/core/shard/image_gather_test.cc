// A push/pull state that several lanes have put together is the one that a single lane would send.
#include "core/shard/image_gather.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/laned_node.h"
#include "tests/support/node_talk.h"
#include "wire/push_pull.h"
#include "wire/serf_state.h"

namespace starling::test {
namespace {

struct Found {
  std::map<std::string, std::int64_t> nodes;
  std::int64_t announced = 0;
  std::map<std::string, std::uint64_t> statuses;
  std::vector<std::string> left;
  std::size_t state_bytes = 0;

  bool on_header(const PushPullHeader& header) {
    announced = header.nodes;
    return true;
  }
  bool on_node(const NodeState& node) {
    nodes[std::string(node.name)] = node.state;
    return true;
  }
  bool on_user_state(Bytes part) {
    state.insert(state.end(), part.begin(), part.end());
    return true;
  }
  void on_member_clock(LamportTime) {}
  void on_event_clock(LamportTime) {}
  void on_query_clock(LamportTime) {}
  void on_left_member(std::string_view name) { left.emplace_back(name); }
  void on_status(std::string_view name, LamportTime time) {
    statuses[std::string(name)] = to_number(time);
  }
  void on_event(const UserEvent&) {}
  ByteVector state;
};

// Plays a peer that joins over a stream and reads the answer.
Found answer_of(std::uint32_t lanes) {
  EngineOptions options = LoneNode::options_named("me");
  options.compress = false;
  LanedNode node(options, lanes);
  for (int i = 0; i < 30; ++i) {
    node.receive_message(0, Peer{.name = "peer" + std::to_string(i)}.alive(1));
  }
  node.receive(0, user_datagram(LeaveIntent{.time = LamportTime{7}, .node = "peer3"}));
  node.receive_message(0, dead("peer3", 1, "peer3"));
  node.receive_message(0, dead("peer4", 1, "peer1"));
  node.receive(0, user_datagram(LeaveIntent{.time = LamportTime{9}, .node = "peer5"}));
  node.take_stream_ops();

  std::array<std::byte, 4096> room;
  Writer request(room);
  encode(PushPullHeader{.nodes = 0, .user_state_bytes = 0, .join = true}, request,
         SignedStyle::unsigned_form);
  const StreamId id{stream_accepted_bit | 1};
  node.stream_event({.kind = StreamEvent::Kind::accepted, .stream = id, .peer = {}, .bytes = {}});
  node.stream_event(
      {.kind = StreamEvent::Kind::readable, .stream = id, .peer = {}, .bytes = request.written()});
  ByteVector answer;
  for (const StreamOp& op : node.take_stream_ops()) {
    if (op.kind == StreamOp::Kind::write) answer = to_vector(op.bytes);
  }
  Found found;
  std::vector<std::byte> carry(65'536);
  PushPullReader reader({}, carry);
  const auto progress = reader.feed(Bytes(answer).subspan(1), found);
  EXPECT_TRUE(progress && *progress == PushPullReader::Progress::done);
  std::vector<std::byte> state_carry(65'536);
  SerfStateReader state(state_carry);
  EXPECT_TRUE(state.feed(Bytes(found.state).subspan(1), found));
  return found;
}

TEST(ImageGather, HoldsTheMembersOfAllLanes) {
  const Found one = answer_of(1);
  EXPECT_EQ(one.nodes.size(), 31u);
  EXPECT_EQ(one.announced, 31);
  EXPECT_EQ(one.left, std::vector<std::string>{"peer3"});
  for (const std::uint32_t lanes : {2u, 5u}) {
    const Found several = answer_of(lanes);
    EXPECT_EQ(several.nodes, one.nodes);
    EXPECT_EQ(several.announced, one.announced);
    EXPECT_EQ(several.left, one.left);
    EXPECT_EQ(several.statuses, one.statuses);
  }
}

}  // namespace
}  // namespace starling::test
