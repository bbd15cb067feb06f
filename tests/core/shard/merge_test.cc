// What a peer's state does to us (protocol/memberlist sections 7.2 and 10.6, protocol/serf 7).
#include "core/shard/merge.h"

#include <gtest/gtest.h>

#include "core/shard/hosting.h"
#include "tests/support/arena_block.h"
#include "tests/support/lone_node.h"
#include "tests/support/peer_messages.h"

namespace starling::test {
namespace {

class Merging : public testing::Test {
 protected:
  Merging()
      : options_(LoneNode::options_named("me")),
        memory_(Node::footprint(options_) + (1 << 20)),
        ring_(make_ring(memory_.arena(), 1 << 16)),
        node_(memory_.arena(), options_, Instant{}, EventWriter(std::move(ring_.first))),
        session_(*node_.sessions.acquire(Session::Kind::inbound)) {
    host(node_, Instant{}, {options_.name, options_.advertise, {}});
  }
  static NodeState state_of(const Peer& peer, std::int64_t state, std::uint32_t incarnation = 1) {
    return {.name = peer.name,
            .address = peer.address.bytes(),
            .port = 7946,
            .incarnation = Incarnation{incarnation},
            .state = state,
            .versions = sane_versions};
  }
  MemberState state_in_table(std::string_view name) {
    return node_.members.state(*node_.members.find(hash_name(name), name));
  }
  bool known(std::string_view name) {
    return node_.members.find(hash_name(name), name).has_value();
  }

  EngineOptions options_;
  ArenaBlock memory_;
  std::pair<RingWriter, RingReader> ring_;
  Node node_;
  Session& session_;
};

TEST_F(Merging, TheDeadOnlyBecomeSuspectAndTheLeftLeave) {
  MergeSink sink(node_, Instant{}, session_);
  sink.on_push_pull_header({.nodes = 5});
  const Peer a{.name = "a", .host = 2}, b{.name = "b", .host = 3}, c{.name = "c", .host = 4};
  for (const Peer& peer : {a, b, c}) sink.on_node(state_of(peer, 0));
  sink.on_node(state_of(a, 2));
  sink.on_node(state_of(b, 3));
  sink.on_node(state_of(c, 9, 5));
  EXPECT_EQ(state_in_table("a"), MemberState::suspect) << "nobody is killed by hearsay";
  EXPECT_EQ(state_in_table("b"), MemberState::left);
  EXPECT_EQ(state_in_table("c"), MemberState::alive) << "an unknown state says nothing";
}

TEST_F(Merging, StopsAtTheFirstEntryOfOtherVersions) {
  MergeSink sink(node_, Instant{}, session_);
  sink.on_push_pull_header({.nodes = 3});
  sink.on_node(state_of({.name = "a", .host = 2}, 0));
  NodeState odd = state_of({.name = "b", .host = 3}, 0);
  const auto versions =
      write_versions({.delegate_min = 0, .delegate_max = 0, .delegate_current = 0});
  odd.versions = versions;
  EXPECT_TRUE(sink.on_node(odd)) << "it is read on, to be answered";
  sink.on_node(state_of({.name = "c", .host = 4}, 0));
  EXPECT_TRUE(session_.merge_refused);
  EXPECT_TRUE(known("a"));
  EXPECT_FALSE(known("b"));
  EXPECT_FALSE(known("c"));
}

TEST_F(Merging, AStateLargerThanTheTableFillsItAndIsReadToTheEnd) {
  MergeSink sink(node_, Instant{}, session_);
  sink.on_push_pull_header({.nodes = 1000});
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "node-" + std::to_string(i);
    EXPECT_TRUE(sink.on_node(state_of({.name = name}, i % 4)));
  }
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "node-" + std::to_string(i);
    sink.on_left_member(name);
    sink.on_status(name, LamportTime{5});
  }
  EXPECT_EQ(node_.members.size(), options_.capacity.members_max);
  EXPECT_GT(node_.counters.members_refused, 0u);
  EXPECT_FALSE(session_.merge_refused);
  EXPECT_TRUE(known("node-0"));
  EXPECT_FALSE(known("node-996"));
}

TEST_F(Merging, ListedAsLeftCountsAsALeaveIntentOneLater) {
  MergeSink sink(node_, Instant{}, session_);
  sink.on_push_pull_header({.nodes = 1});
  sink.on_node(state_of({.name = "a", .host = 2}, 0));
  sink.on_left_member("a");
  sink.on_left_member("stranger");
  sink.on_status("a", LamportTime{5});
  sink.on_status("stranger", LamportTime{7});
  const Slot a = *node_.members.find(hash_name("a"), "a");
  EXPECT_EQ(node_.serf.status(a), MemberStatus::leaving);
  EXPECT_EQ(to_number(node_.serf.status_time(a)), 6u);
  EXPECT_EQ(node_.recent_intents.find(hash_name("stranger"), IntentKind::leave), LamportTime{8});
  EXPECT_EQ(node_.intent_queue.size(), 0u) << "nothing of a state is broadcast on";
}

TEST_F(Merging, ALeftMarkOfOneStateDoesNotReachIntoTheNext) {
  MergeSink sink(node_, Instant{}, session_);
  sink.on_push_pull_header({.nodes = 1});
  sink.on_node(state_of({.name = "a", .host = 2}, 0));
  sink.on_left_member("a");
  sink.on_push_pull_header({.nodes = 1});
  sink.on_status("a", LamportTime{5});
  EXPECT_EQ(node_.serf.status(*node_.members.find(hash_name("a"), "a")), MemberStatus::alive);
}

TEST_F(Merging, OurselvesListedAsLeftIsRefuted) {
  MergeSink sink(node_, Instant{}, session_);
  sink.on_push_pull_header({.nodes = 0});
  sink.on_left_member("me");
  sink.on_status("me", LamportTime{5});
  EXPECT_EQ(node_.serf.status(node_.hosted.at(0).slot), MemberStatus::alive);
  EXPECT_EQ(node_.intent_queue.size(), 1u) << "a join intent, newer than the leave";
}

TEST_F(Merging, GarbageInTheUserStateIsDroppedAndTheRestIgnored) {
  MergeSink sink(node_, Instant{}, session_);
  sink.on_push_pull_header({.nodes = 0});
  EXPECT_TRUE(sink.on_user_state(from_hex("02c1")));
  EXPECT_TRUE(sink.on_user_state(from_hex("ffff")));
  EXPECT_TRUE(session_.state_broken);
  EXPECT_EQ(node_.counters.messages_dropped, 1u);
}

}  // namespace
}  // namespace starling::test
