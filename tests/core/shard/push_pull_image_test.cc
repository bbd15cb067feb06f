// Our own push/pull state, read back with the readers that peers' states go through.
#include "core/shard/push_pull_image.h"

#include <gtest/gtest.h>

#include "core/serf/members.h"
#include "core/shard/apply_alive.h"
#include "core/shard/apply_dead.h"
#include "core/shard/hosting.h"
#include "core/shard/serf_turn.h"
#include "tests/support/arena_block.h"
#include "tests/support/lone_node.h"
#include "tests/support/peer_messages.h"
#include "wire/serf_state.h"

namespace starling::test {
namespace {

struct StateSink {
  std::vector<std::string> left, statuses;
  std::size_t events = 0;
  LamportTime member{}, event{}, query{};
  void on_member_clock(LamportTime time) { member = time; }
  void on_event_clock(LamportTime time) { event = time; }
  void on_query_clock(LamportTime time) { query = time; }
  void on_left_member(std::string_view name) { left.emplace_back(name); }
  void on_status(std::string_view name, LamportTime time) {
    statuses.push_back(std::string(name) + "=" + std::to_string(to_number(time)));
  }
  void on_event(const UserEvent&) { ++events; }
};

struct NodeSink {
  std::vector<std::string> nodes;
  ByteVector user_state;
  bool on_header(const PushPullHeader&) { return true; }
  bool on_node(const NodeState& node) {
    nodes.push_back(std::string(node.name) + ":" + std::to_string(node.state) + ":" +
                    std::to_string(to_number(node.incarnation)));
    return true;
  }
  bool on_user_state(Bytes part) {
    user_state.insert(user_state.end(), part.begin(), part.end());
    return true;
  }
};

TEST(PushPullImage, HoldsEveryNodeAndSerfsState) {
  EngineOptions options = LoneNode::options_named("me");
  ArenaBlock memory(Node::footprint(options) + (1 << 20));
  auto [writer, reader] = make_ring(memory.arena(), 1 << 16);
  Node node(memory.arena(), options, Instant{}, EventWriter(std::move(writer)));
  const Instant now{};
  ASSERT_EQ(host(node, now, {"me", options.advertise, {}}), HostProblem::none);
  apply_alive(node, now, Peer{.name = "a", .host = 2}.alive(3), {});
  apply_alive(node, now, Peer{.name = "b", .host = 3}.alive(4), {});
  apply_leave_intent(node, now, {.time = LamportTime{6}, .node = "b"});
  apply_dead(node, now, dead("b", 4, "b"), 0);
  apply_user_event(node, now, {.time = LamportTime{2}, .name = "deploy", .payload = {}});

  std::vector<std::byte> room(1 << 20);
  const Bytes image = build_push_pull(node, {.join = true}, room);
  ASSERT_FALSE(image.empty());
  EXPECT_EQ(image.front(), std::byte{6});

  std::vector<std::byte> carry(65'536);
  PushPullReader push_pull({}, carry);
  NodeSink nodes;
  const auto progress = push_pull.feed(image.subspan(1), nodes);
  ASSERT_TRUE(progress);
  EXPECT_EQ(*progress, PushPullReader::Progress::done);
  EXPECT_TRUE(push_pull.header().join);
  std::ranges::sort(nodes.nodes);
  EXPECT_EQ(nodes.nodes, (std::vector<std::string>{"a:0:3", "b:3:4", "me:0:1"}));

  SerfStateReader state(carry);
  StateSink sink;
  ASSERT_EQ(nodes.user_state.front(), std::byte{2});
  const auto read = state.feed(Bytes(nodes.user_state).subspan(1), sink);
  ASSERT_TRUE(read);
  EXPECT_EQ(sink.left, std::vector<std::string>{"b"});
  std::ranges::sort(sink.statuses);
  EXPECT_EQ(sink.statuses, (std::vector<std::string>{"a=0", "b=6", "me=0"}));
  EXPECT_EQ(sink.events, 1u);
  EXPECT_EQ(to_number(sink.member), 7u);
  EXPECT_EQ(to_number(sink.event), 3u);
  EXPECT_EQ(to_number(sink.query), 1u);

  EXPECT_TRUE(build_push_pull(node, {.join = true}, MutableBytes(room).first(200)).empty());
}

}  // namespace
}  // namespace starling::test
