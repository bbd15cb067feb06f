// Graceful and forced leaves (protocol/serf section 8).
#include <gtest/gtest.h>

#include <set>

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
        intent_seen = true;
      }
      if (message.front() == std::byte{5}) {
        EXPECT_TRUE(intent_seen) << "the intent goes first";
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

// Whom the first intent misses learns from the second that we have not failed.
TEST(SerfLeave, SaysTheIntentAgainWithANewerTimeBesideItsDeath) {
  LoneNode node = quiet_node();
  node.receive_message(Peer{.name = "a"}.alive(1));
  node.advance(2s);
  node.take_packets();
  node.command({.kind = Command::Kind::leave, .token = 9});
  node.advance(5s);
  std::set<LamportTime> times;
  bool together = false;
  for (const SentPacket& packet : node.take_packets()) {
    bool second = false, death = false;
    for (const ByteVector& message : packet.messages) {
      death |= message.front() == std::byte{5};
      if (message.front() != std::byte{8} || message[1] != std::byte{0}) continue;
      const auto intent = decode_leave_intent(Bytes(message).subspan(2));
      ASSERT_TRUE(intent);
      second |= !times.empty() && intent->time > *times.begin();
      times.insert(intent->time);
    }
    together |= second && death;
  }
  EXPECT_EQ(times.size(), 2u);
  EXPECT_TRUE(together);
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
