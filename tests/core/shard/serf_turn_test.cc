// The Serf layer: members, intents, events, queries (protocol/serf sections 6, 9 and 10).
#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"
#include "tests/support/peer_messages.h"
#include "wire/serf_messages.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

TEST(SerfMembers, ALeaveIntentBeforeTheDeathMakesItALeave) {
  LoneNode node = quiet_node();
  node.receive_message(Peer{.name = "a"}.alive(1));
  node.take_events();
  node.receive(user_datagram(LeaveIntent{.time = LamportTime{5}, .node = "a"}));
  node.receive_message(dead("a", 1, "a"));
  EXPECT_EQ(member_changes(node, "a"), (std::vector<std::string>{"status", "member-leave"}));
  EXPECT_EQ(node.stats().members_left, 1u);
  EXPECT_EQ(node.stats().member_time, 6u);
}

TEST(SerfMembers, WhoStaysLongAfterALeaveIntentIsAliveAgain) {
  LoneNode node = quiet_node();
  node.receive_message(Peer{.name = "a"}.alive(1));
  node.receive(user_datagram(LeaveIntent{.time = LamportTime{5}, .node = "a"}));
  node.take_events();
  node.advance(20s);  // a leave may take two broadcasts of 5 s and a pause of 1 s, twice for safety
  EXPECT_EQ(member_changes(node, "a"), std::vector<std::string>{});
  node.advance(20s);
  EXPECT_EQ(member_changes(node, "a"), std::vector<std::string>{"status"});
  // It is alive now: a death is a failure, not a leave.
  node.receive_message(dead("a", 1, "b"));
  EXPECT_EQ(member_changes(node, "a"), std::vector<std::string>{"member-failed"});
}

TEST(SerfMembers, ADeathBeforeTheLeaveIntentIsCorrected) {
  LoneNode node = quiet_node();
  node.receive_message(Peer{.name = "a"}.alive(1));
  node.take_events();
  node.receive_message(dead("a", 1, "a"));
  node.receive(user_datagram(LeaveIntent{.time = LamportTime{5}, .node = "a"}));
  EXPECT_EQ(member_changes(node, "a"), (std::vector<std::string>{"member-failed", "member-leave"}));
}

TEST(SerfMembers, AnIntentMayComeBeforeItsMember) {
  LoneNode node = quiet_node();
  node.receive(user_datagram(LeaveIntent{.time = LamportTime{5}, .node = "a"}));
  node.receive_message(Peer{.name = "a"}.alive(1));
  node.receive_message(dead("a", 1, "a"));
  EXPECT_EQ(node.stats().members_left, 1u);
}

TEST(SerfIntents, AreRebroadcastOnceWithTheirBytesUnchanged) {
  LoneNode node = quiet_node();
  node.receive_message(Peer{.name = "a"}.alive(1));
  node.take_packets();
  // With a field that we do not know.
  ByteVector datagram = from_hex(
      "0801"
      "83"
      "a54c54696d65"
      "09"
      "a44e6f6465"
      "a161"
      "a14e"
      "01");
  node.receive(datagram);
  node.receive(datagram);
  const std::vector<ByteVector> sent = gossiped(node, SerfType::join, 5s);
  ASSERT_EQ(sent.size(), 4u) << "4 * ceil(log10(2 + 1)) transmissions of one broadcast";
  for (const ByteVector& message : sent) {
    EXPECT_EQ(to_hex(message), to_hex(Bytes(datagram).subspan(1)));
  }
}

TEST(SerfIntents, ALeaveIntentAboutOurselvesIsRefuted) {
  LoneNode node = quiet_node();
  node.receive_message(Peer{.name = "a"}.alive(1));
  node.take_packets();
  node.receive(user_datagram(LeaveIntent{.time = LamportTime{7}, .node = "me"}));
  EXPECT_TRUE(gossiped(node, SerfType::leave, 1ms).empty());
  const std::vector<ByteVector> joins = gossiped(node, SerfType::join);
  ASSERT_FALSE(joins.empty());
  const auto intent = decode_join_intent(body_of(joins[0]));
  EXPECT_EQ(intent->node, "me");
  EXPECT_EQ(to_number(intent->time), 8u);
  EXPECT_EQ(node.stats().members_alive, 2u);
}

TEST(SerfIntents, PruneForgetsAFailedMemberAtOnce) {
  LoneNode node = quiet_node();
  node.receive_message(Peer{.name = "a"}.alive(1));
  node.receive_message(dead("a", 1, "b"));
  node.take_events();
  node.receive(user_datagram(LeaveIntent{.time = LamportTime{5}, .node = "a", .prune = true}));
  EXPECT_EQ(member_changes(node, "a"), (std::vector<std::string>{"member-leave", "member-reap"}));
  EXPECT_EQ(node.stats().members, 1u);
}

TEST(SerfEvents, AreDeliveredAndRebroadcastOnce) {
  LoneNode node = quiet_node();
  node.receive_message(Peer{.name = "a"}.alive(1));
  node.take_packets();
  node.take_events();
  const ByteVector datagram =
      user_datagram(UserEvent{.time = LamportTime{3}, .name = "deploy", .payload = as_bytes("v1")});
  node.receive(datagram);
  node.receive(datagram);
  std::size_t delivered = 0;
  for (const KeptEvent& kept : node.take_events()) {
    if (kept.event.kind != Event::Kind::user) continue;
    ++delivered;
    EXPECT_EQ(kept.name, "deploy");
    EXPECT_EQ(as_text(kept.payload), "v1");
    EXPECT_EQ(to_number(kept.event.time), 3u);
  }
  EXPECT_EQ(delivered, 1u);
  EXPECT_EQ(gossiped(node, SerfType::user_event, 5s).size(), 4u);
  EXPECT_EQ(node.stats().event_time, 4u);
  // Bytes are those that Serf sees, without memberlist's type byte.
  const Counters counted = node.stats().counters;
  EXPECT_EQ(counted.serf_messages_in, 2u);
  EXPECT_EQ(counted.serf_message_bytes_in, 2 * (datagram.size() - 1));
  EXPECT_EQ(counted.serf_messages_out, 4u);
  EXPECT_EQ(counted.serf_message_bytes_out, 4 * (datagram.size() - 1));
}

TEST(SerfEvents, FiredHereAreStampedDeliveredAndGossiped) {
  LoneNode node = quiet_node();
  node.receive_message(Peer{.name = "a"}.alive(1));
  node.take_packets();
  node.command({.kind = Command::Kind::user_event,
                .token = 5,
                .name = "deploy",
                .payload = as_bytes("v2"),
                .coalesce = true});
  const std::vector<ByteVector> sent = gossiped(node, SerfType::user_event);
  ASSERT_FALSE(sent.empty());
  Scratch scratch;
  const auto event = decode_user_event(body_of(sent[0]), scratch);
  EXPECT_EQ(to_number(event->time), 1u);
  EXPECT_EQ(event->name, "deploy");
  EXPECT_TRUE(event->coalesce);
  EXPECT_EQ(finished(node), (std::vector<Done>{{5, CommandResult::ok, ""}}));
  EXPECT_EQ(node.stats().event_time, 2u);
}

TEST(SerfEvents, TooLargeOnesAreRefusedWithSerfsWords) {
  LoneNode node = quiet_node();
  node.command({.kind = Command::Kind::user_event,
                .token = 6,
                .name = "deploy",
                .payload = as_bytes(std::string(600, 'x'))});
  EXPECT_EQ(
      finished(node),
      (std::vector<Done>{{6, CommandResult::too_large,
                          "user event exceeds configured limit of 512 bytes before encoding"}}));
  EXPECT_EQ(node.stats().event_time, 1u);
}

}  // namespace
}  // namespace starling::test
