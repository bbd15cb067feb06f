#include "core/shard/explain.h"

#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"
#include "tests/support/peer_messages.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

Explanation explained(LoneNode& node, std::string_view name) {
  node.take_events();
  node.command({.kind = Command::Kind::explain, .token = 9, .name = name});
  for (const KeptEvent& kept : node.take_events()) {
    if (kept.event.kind != Event::Kind::done || kept.event.token != 9) continue;
    if (const auto explanation = decode_explanation(kept.payload)) return *explanation;
  }
  ADD_FAILURE() << "no explanation of " << name;
  return {};
}

LoneNode quiet_node() {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.probe_interval = options.swim.push_pull_interval = Duration::zero();
  return LoneNode(options);
}

TEST(Explain, TheRowOfAMemberThatIsWell) {
  LoneNode node = quiet_node();
  node.receive_message(Peer{.name = "a", .host = 2}.alive(7));
  node.advance(3s);
  const Explanation a = explained(node, "a");
  EXPECT_TRUE(a.known && a.listed);
  EXPECT_FALSE(a.hosted || a.suspicion || a.has_intent);
  EXPECT_EQ(a.state, MemberState::alive);
  EXPECT_EQ(to_number(a.incarnation), 7u);
  EXPECT_EQ(a.status, MemberStatus::alive);
  EXPECT_EQ(a.endpoint, (Peer{.name = "a", .host = 2}.endpoint()));
  EXPECT_EQ(a.now, node.now());
  EXPECT_NEAR(std::chrono::duration<double>(a.now - a.state_changed).count(), 3.0, 0.05);

  const Explanation me = explained(node, "me");
  EXPECT_TRUE(me.known && me.hosted);
  EXPECT_EQ(me.health, 0);
  EXPECT_EQ(me.leave, LeaveStage::none);
  EXPECT_FALSE(explained(node, "nobody").known);
}

TEST(Explain, ARunningSuspicionAndWhatBecomesOfIt) {
  // Without probes it would be judged by a probe interval of zero.
  LoneNode node = node_named("me");
  for (std::uint8_t host = 2; host < 7; ++host) {
    const std::string name(1, static_cast<char>('a' + host));
    node.receive_message(Peer{.name = name, .host = host}.alive(1));
  }
  node.receive_message(suspect("c", 1, "d"));
  node.advance(200ms);
  node.receive_message(suspect("c", 1, "e"));
  Explanation c = explained(node, "c");
  ASSERT_TRUE(c.suspicion);
  EXPECT_EQ(c.state, MemberState::suspect);
  EXPECT_EQ(c.status, MemberStatus::alive);
  EXPECT_EQ(c.confirmations, 1u);
  EXPECT_EQ(c.confirmations_needed, 2u);
  EXPECT_EQ(c.accusers[0], hash_name("d"));
  EXPECT_EQ(c.accusers[1], hash_name("e"));
  EXPECT_EQ(c.now - c.suspicion_started, 200ms);
  // n = 6: 24 s, with one of two confirmations 11.381 s.
  EXPECT_EQ(c.suspicion_ends - c.suspicion_started, 11'381ms);
  node.receive_message(dead("c", 1, "d"));
  c = explained(node, "c");
  EXPECT_FALSE(c.suspicion);
  EXPECT_EQ(c.state, MemberState::dead);
  EXPECT_EQ(c.status, MemberStatus::failed);
  EXPECT_NEAR(std::chrono::duration<double>(c.now - c.gone_since).count(), 0, 0.05);
}

TEST(Explain, ForgedPayloadsAreRefused) {
  EXPECT_FALSE(decode_explanation({}));
  const std::vector<std::byte> longer(sizeof(Explanation) + 1);
  EXPECT_FALSE(decode_explanation(longer));
}

}  // namespace
}  // namespace starling::test
