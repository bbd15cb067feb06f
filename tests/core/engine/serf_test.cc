// The Serf layer as a node shows it: intents, events, leave (protocol/serf sections 3 to 10).
#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/peer_messages.h"
#include "wire/serf_messages.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

LoneNode quiet_node() {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.probe_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  return LoneNode(options);
}

// A Serf message as the datagram that carries it.
template <class Message>
ByteVector user_datagram(const Message& message) {
  std::array<std::byte, 4096> room;
  Writer out(room);
  out.u8(static_cast<std::uint8_t>(MessageType::user));
  encode(message, out);
  return to_vector(out.written());
}

// Serf messages of one type that the node gossips within `duration`, without memberlist's type
// byte.
std::vector<ByteVector> gossiped(LoneNode& node, SerfType type, Duration duration = 1s) {
  node.advance(duration);
  std::vector<ByteVector> found;
  for (const ByteVector& message : node.take_messages(MessageType::user)) {
    if (message.size() > 1 && message[1] == static_cast<std::byte>(type)) {
      found.push_back(to_vector(body_of(message)));
    }
  }
  return found;
}

struct Done {
  std::uint64_t token;
  CommandResult result;
  std::string text;
  friend bool operator==(const Done&, const Done&) = default;
};
std::vector<Done> finished(LoneNode& node) {
  std::vector<Done> done;
  for (const KeptEvent& kept : node.take_events()) {
    if (kept.event.kind != Event::Kind::done) continue;
    done.push_back({kept.event.token, kept.event.result, kept.text});
  }
  return done;
}

std::vector<std::string> member_changes(LoneNode& node, std::string_view name) {
  std::vector<std::string> changes;
  for (const KeptEvent& kept : node.take_events()) {
    if (kept.event.kind != Event::Kind::member || kept.name != name) continue;
    changes.emplace_back(kept.event.change ? to_text(*kept.event.change) : "status");
  }
  return changes;
}

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

TEST(SerfQueries, ArePassedOnOnceAndAcknowledged) {
  LoneNode node = quiet_node();
  const Peer origin{.name = "origin"};
  node.receive_message(origin.alive(1));
  node.take_packets();
  std::array<std::byte, 1024> room;
  Writer out(room);
  out.u8(static_cast<std::uint8_t>(MessageType::user));
  encode(Query{.time = LamportTime{4},
               .id = 77,
               .address = origin.address.bytes(),
               .port = 7946,
               .source_node = "origin",
               .flags = Query::flag_ack,
               .timeout_ns = 1'000'000'000,
               .name = "load"},
         out, SignedStyle::unsigned_form);
  node.receive(out.written());
  node.receive(out.written());
  const std::vector<SentPacket> sent = node.take_packets();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, origin.endpoint());
  Scratch scratch;
  const auto ack = decode_query_response(Bytes(sent[0].messages[0]).subspan(2), scratch);
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->id, 77u);
  EXPECT_EQ(ack->from, "me");
  EXPECT_EQ(ack->flags, QueryResponse::flag_ack);
  EXPECT_EQ(gossiped(node, SerfType::query, 5s).size(), 4u);
}

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

TEST(SerfTags, ANewMetaGoesOutWithAHigherIncarnation) {
  LoneNode node = quiet_node();
  node.receive_message(Peer{.name = "a"}.alive(1));
  node.advance(2s);
  node.take_packets();
  node.take_events();
  node.command({.kind = Command::Kind::set_meta, .token = 3, .payload = as_bytes("meta")});
  EXPECT_EQ(member_changes(node, "me"), (std::vector<std::string>{"member-update"}));
  node.advance(5s);
  std::uint32_t incarnation = 0;
  for (const ByteVector& message : node.take_messages(MessageType::alive)) {
    Scratch scratch;
    const auto alive = decode_alive(body_of(message), scratch);
    if (alive->node != "me") continue;
    incarnation = to_number(alive->incarnation);
    EXPECT_EQ(as_text(alive->meta), "meta");
  }
  EXPECT_EQ(incarnation, 2u);
  EXPECT_EQ(finished(node), (std::vector<Done>{{3, CommandResult::ok, ""}}));
}

TEST(SerfReap, ForgetsFailedMembersAfterTheReconnectTimeout) {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.probe_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  options.serf.reconnect_timeout = 60s;
  options.serf.reconnect_interval = Duration::zero();
  LoneNode node(options);
  node.receive_message(Peer{.name = "a"}.alive(1));
  node.receive_message(dead("a", 1, "b"));
  node.take_events();
  node.advance(60s);
  EXPECT_EQ(node.stats().members_failed, 1u);
  node.advance(16s);
  EXPECT_EQ(node.stats().members_failed, 0u);
  EXPECT_EQ(member_changes(node, "a"), (std::vector<std::string>{"member-reap"}));
}

TEST(SerfReconnect, TriesAFailedMemberAgain) {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.probe_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  LoneNode node(options);
  const Peer a{.name = "a"};
  node.receive_message(a.alive(1));
  node.receive_message(dead("a", 1, "b"));
  node.advance(31s);
  const std::vector<StreamOp> ops = node.take_stream_ops();
  ASSERT_FALSE(ops.empty());
  EXPECT_EQ(ops[0].kind, StreamOp::Kind::connect);
  EXPECT_EQ(ops[0].to, a.endpoint());
}

}  // namespace
}  // namespace starling::test
