// Graceful and forced leaves (protocol/serf section 8).
#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"
#include "tests/support/peer_messages.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

TEST(SerfLeave, AloneItEndsAfterThePropagateDelay) {
  LoneNode node = quiet_node();
  node.turn();
  node.take_events();
  node.command({.kind = Command::Kind::leave, .token = 9});
  node.advance(999ms);
  EXPECT_TRUE(finished(node).empty());
  node.advance(2ms);
  EXPECT_EQ(finished(node), (std::vector<Done>{{9, CommandResult::ok, ""}}));
  node.command({.kind = Command::Kind::leave, .token = 10});
  EXPECT_EQ(finished(node), (std::vector<Done>{{10, CommandResult::ok, ""}}));
  node.command({.kind = Command::Kind::announce, .token = 11});
  EXPECT_EQ(finished(node), (std::vector<Done>{{11, CommandResult::not_alive, ""}}));
}

TEST(SerfLeave, SendsTheIntentThenTheDeathOfItself) {
  LoneNode node = quiet_node();
  node.receive_message(Peer{.name = "a"}.alive(1));
  node.advance(2s);
  node.take_packets();
  node.take_events();
  node.command({.kind = Command::Kind::leave, .token = 9});
  node.command({.kind = Command::Kind::leave, .token = 10});
  node.advance(5s);
  bool intent_seen = false;
  bool death_seen = false;
  for (const SentPacket& packet : node.take_packets()) {
    for (const ByteVector& message : packet.messages) {
      if (message.front() == std::byte{8} && message[1] == std::byte{0}) {
        EXPECT_FALSE(death_seen) << "the intent goes first";
        intent_seen = true;
      }
      if (message.front() == std::byte{5}) {
        Scratch scratch;
        const auto death = decode_dead(body_of(message), scratch);
        EXPECT_EQ(death->node, "me");
        EXPECT_EQ(death->from, "me");
        death_seen = true;
      }
    }
  }
  EXPECT_TRUE(intent_seen);
  EXPECT_TRUE(death_seen);
  EXPECT_EQ(finished(node), (std::vector<Done>{{10, CommandResult::leave_in_progress, ""},
                                               {9, CommandResult::ok, ""}}));
  EXPECT_EQ(node.stats().members_left, 1u);
  node.receive_message(suspect("me", 1, "a"));
  EXPECT_EQ(node.stats().counters.refutations, 0u) << "who has left does not object";
}

TEST(SerfForceLeave, TurnsAFailedMemberIntoALeftOne) {
  LoneNode node = quiet_node();
  node.receive_message(Peer{.name = "a", .host = 2}.alive(1));
  node.receive_message(Peer{.name = "b", .host = 3}.alive(1));
  node.receive_message(dead("a", 1, "b"));
  node.command({.kind = Command::Kind::force_leave, .token = 4, .name = "a"});
  EXPECT_EQ(node.stats().members_left, 1u);
  node.advance(5s);
  EXPECT_EQ(finished(node), (std::vector<Done>{{4, CommandResult::ok, ""}}));
}

}  // namespace
}  // namespace starling::test
