// Several members in one engine: each is an ordinary member to everybody else.
#include "core/shard/hosting.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/shard/apply_alive.h"
#include "tests/support/node_talk.h"

namespace starling::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t guests = 9;

EngineOptions crowded(std::size_t count = guests) {
  EngineOptions options = LoneNode::options_named("me0");
  options.swim.push_pull_interval = Duration::zero();
  for (std::size_t i = 1; i <= count; ++i) {
    options.hosted.push_back(
        {"me" + std::to_string(i), options.advertise, "tag" + std::to_string(i)});
  }
  return options;
}

void add_peers(LoneNode& node, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    node.receive_message(
        Peer{.name = "peer" + std::to_string(i), .host = static_cast<std::uint8_t>(20 + i)}.alive(
            1));
  }
}

TEST(Hosting, GossipsAnAliveMessageForEach) {
  LoneNode node(crowded());
  add_peers(node, 1);
  node.advance(seconds(2));
  std::map<std::string, std::string> metas;
  for (const ByteVector& message : node.take_messages(MessageType::alive)) {
    Scratch scratch;
    const auto alive = decode_alive(body_of(message), scratch);
    ASSERT_TRUE(alive);
    EXPECT_EQ(alive->port, 7946);
    metas[std::string(alive->node)] = std::string(as_text(alive->meta));
  }
  EXPECT_TRUE(metas.contains("me0"));
  for (std::size_t i = 1; i <= guests; ++i) {
    EXPECT_EQ(metas["me" + std::to_string(i)], "tag" + std::to_string(i));
  }
  EXPECT_EQ(node.stats().hosted, guests + 1);
  EXPECT_EQ(node.stats().members_alive, guests + 2);
}

TEST(Hosting, AnswersPingsForEachNameAndNoOther) {
  LoneNode node(crowded());
  std::uint32_t sequence = 100;
  for (const char* name : {"me0", "me5", "me9", ""}) {
    node.receive_message(Ping{.sequence = SequenceNumber{++sequence}, .node = name, .source = {}});
    EXPECT_EQ(node.take_messages(MessageType::ack).size(), 1u) << name;
  }
  for (const char* name : {"me10", "peer", "ME0"}) {
    node.receive_message(Ping{.sequence = SequenceNumber{++sequence}, .node = name, .source = {}});
    EXPECT_TRUE(node.take_messages(MessageType::ack).empty()) << name;
  }
}

// Every hosted member sends one ping a period under its own name, spread over the period; none goes
// to a member of the same engine.
TEST(Hosting, EachProbesOncePerPeriodEvenlySpread) {
  LoneNode node(crowded());
  add_peers(node, 5);
  node.advance(milliseconds(999));
  for (int period = 0; period < 3; ++period) {
    std::map<std::string, int> pings;
    for (int slice = 0; slice < 10; ++slice) {
      node.advance(milliseconds(100));
      int in_slice = 0;
      for (const ByteVector& message : node.take_messages(MessageType::ping)) {
        Scratch scratch;
        const auto ping = decode_ping(body_of(message), scratch);
        ASSERT_TRUE(ping);
        EXPECT_TRUE(ping->node.starts_with("peer"));
        ++pings[std::string(ping->source.node)];
        ++in_slice;
        node.receive_message(Ack{.sequence = ping->sequence, .payload = {}});
      }
      EXPECT_LE(in_slice, 2);
    }
    ASSERT_EQ(pings.size(), guests + 1);
    for (const auto& [name, count] : pings) EXPECT_EQ(count, 1) << name;
  }
  EXPECT_EQ(node.stats().counters.probes_failed, 0u);
}

TEST(Hosting, ACrowdOfThousandsKeepsItsRate) {
  constexpr std::size_t many = 3'000;
  EngineOptions options = LoneNode::options_named("me0");
  options.capacity.members_max = 4'096;
  options.capacity.hosted_max = 4'096;
  options.swim.push_pull_interval = Duration::zero();
  for (std::size_t i = 1; i < many; ++i) {
    options.hosted.push_back({"me" + std::to_string(i), options.advertise, ""});
  }
  LoneNode node(options);
  add_peers(node, 5);
  node.advance(milliseconds(999));
  std::set<std::string> probers;
  std::size_t pings = 0;
  for (int slice = 0; slice < 101; ++slice) {
    node.advance(milliseconds(10));
    for (const ByteVector& message : node.take_messages(MessageType::ping)) {
      Scratch scratch;
      const auto ping = decode_ping(body_of(message), scratch);
      probers.insert(std::string(ping->source.node));
      ++pings;
      node.receive_message(Ack{.sequence = ping->sequence, .payload = {}});
    }
  }
  // A walk that wraps and is shuffled on the way may miss the few members there are to probe.
  EXPECT_GE(probers.size(), many - 10);
  EXPECT_NEAR(static_cast<double>(pings), 1.01 * many, 40);
}

TEST(Hosting, EachRefutesForItselfWithAnIncarnationOfItsOwn) {
  EngineOptions options = crowded();
  options.swim.probe_interval = Duration::zero();
  LoneNode node(options);
  add_peers(node, 1);
  node.advance(seconds(3));
  node.take_packets();
  node.receive_message(Suspect{.incarnation = Incarnation{4}, .node = "me3", .from = "peer0"});
  node.receive_message(Dead{.incarnation = Incarnation{6}, .node = "me7", .from = "peer0"});
  node.advance(seconds(1));
  std::map<std::string, std::uint32_t> newest;
  for (const ByteVector& message : node.take_messages(MessageType::alive)) {
    Scratch scratch;
    const auto alive = decode_alive(body_of(message), scratch);
    auto& incarnation = newest[std::string(alive->node)];
    incarnation = std::max(incarnation, to_number(alive->incarnation));
  }
  EXPECT_EQ(newest["me3"], 5u);
  EXPECT_EQ(newest["me7"], 7u);
  EXPECT_EQ(node.stats().counters.refutations, 2u);
  EXPECT_EQ(node.stats().health_score, 0u) << "the first member was not accused";
}

TEST(Hosting, TakesMembersInAtRunTime) {
  LoneNode node(crowded(0));
  add_peers(node, 1);
  const Endpoint at{IpAddress::v4(127, 0, 0, 1), 7946};
  node.command({.kind = Command::Kind::host, .token = 1, .endpoint = at, .name = "late"});
  EXPECT_EQ(finished(node), (std::vector<Done>{{1, CommandResult::ok, ""}}));
  EXPECT_EQ(gossiped_incarnation(node, "late"), 1u);
  node.command({.kind = Command::Kind::host, .token = 2, .endpoint = at, .name = "late"});
  EXPECT_EQ(finished(node).front().result, CommandResult::name_taken);
  node.command({.kind = Command::Kind::host, .token = 3, .endpoint = at, .name = "peer0"});
  EXPECT_EQ(finished(node).front().result, CommandResult::name_taken);
  node.command({.kind = Command::Kind::host, .token = 4, .endpoint = {}, .name = "nowhere"});
  EXPECT_EQ(finished(node).front(),
            (Done{4, CommandResult::too_large, "advertise has no address"}));
  node.command({.kind = Command::Kind::unhost, .token = 5, .name = "stranger"});
  EXPECT_EQ(finished(node).front().result, CommandResult::not_hosted);
}

TEST(Hosting, RefusesMoreThanItsPlaces) {
  EngineOptions options = crowded(0);
  options.capacity.hosted_max = 2;
  LoneNode node(options);
  const Endpoint at = options.advertise;
  node.command({.kind = Command::Kind::host, .token = 1, .endpoint = at, .name = "second"});
  node.command({.kind = Command::Kind::host, .token = 2, .endpoint = at, .name = "third"});
  const std::vector<Done> done = finished(node);
  ASSERT_EQ(done.size(), 2u);
  EXPECT_EQ(done[0].result, CommandResult::ok);
  EXPECT_EQ(done[1].result, CommandResult::no_capacity);
}

TEST(Hosting, AMemberLeavesAloneAndItsPlaceIsFreeAfterwards) {
  LoneNode node(crowded());
  add_peers(node, 1);
  node.advance(seconds(3));
  node.take_packets();
  node.take_events();
  node.command({.kind = Command::Kind::unhost, .token = 9, .name = "me4"});
  node.advance(seconds(15));
  bool said_so = false;
  for (const ByteVector& message : node.take_messages(MessageType::dead)) {
    Scratch scratch;
    const auto dead = decode_dead(body_of(message), scratch);
    said_so |= dead->node == "me4" && dead->from == "me4";
  }
  EXPECT_TRUE(said_so);
  bool answered = false;
  for (const Done& done : finished(node)) answered |= done == Done{9, CommandResult::ok, ""};
  EXPECT_TRUE(answered);
  EXPECT_EQ(node.stats().hosted, guests);
  EXPECT_EQ(node.stats().members_left, 1u);
  node.receive_message(Ping{.sequence = SequenceNumber{1}, .node = "me4", .source = {}});
  EXPECT_TRUE(node.take_messages(MessageType::ack).empty());
  // It may come back, above its earlier life.
  node.command({.kind = Command::Kind::host,
                .token = 10,
                .endpoint = node.options().advertise,
                .name = "me4"});
  EXPECT_EQ(finished(node).front().result, CommandResult::ok);
  EXPECT_GE(gossiped_incarnation(node, "me4"), 2u);
}

TEST(Hosting, TheEngineLeavesWhenAllHaveLeft) {
  LoneNode node(crowded(2));
  node.command({.kind = Command::Kind::leave, .token = 5});
  node.advance(seconds(20));
  EXPECT_EQ(finished(node), (std::vector<Done>{{5, CommandResult::ok, ""}}));
  EXPECT_EQ(node.stats().members_left, 3u);
  node.command({.kind = Command::Kind::leave, .token = 6});
  EXPECT_EQ(finished(node), (std::vector<Done>{{6, CommandResult::ok, ""}}));
}

// More than there are tickets for broadcasts that somebody waits for.
TEST(Hosting, ACrowdThatLeavesSaysSoForEach) {
  constexpr std::size_t many = 150;
  EngineOptions options = crowded(many - 1);
  options.capacity.members_max = 256;
  options.capacity.hosted_max = 256;
  options.swim.probe_interval = Duration::zero();  // the peer answers nothing
  LoneNode node(options);
  add_peers(node, 1);
  node.advance(seconds(1));
  node.take_packets();
  node.command({.kind = Command::Kind::leave, .token = 5});
  std::set<std::string> intents;
  for (const ByteVector& message : gossiped(node, SerfType::leave, seconds(30))) {
    const auto intent = decode_leave_intent(body_of(message));
    if (intent) intents.insert(std::string(intent->node));
  }
  EXPECT_EQ(intents.size(), many);
  EXPECT_EQ(node.stats().members_left, many);
  EXPECT_EQ(node.stats().members_failed, 0u);
  EXPECT_EQ(finished(node).back(), (Done{5, CommandResult::ok, ""}));
}

TEST(Hosting, AnAbandonedMemberIsFoundDeadByItsOwnEngine) {
  EngineOptions options = crowded(3);
  LoneNode node(options);
  add_peers(node, 1);
  node.advance(seconds(1));
  node.take_events();
  node.command({.kind = Command::Kind::abandon, .token = 3, .name = "me2"});
  bool failed = false;
  for (int step = 0; step < 600 && !failed; ++step) {
    node.advance(milliseconds(100));
    for (const SentPacket& packet : node.take_packets()) {
      for (const ByteVector& message : packet.messages) {
        if (message.front() != static_cast<std::byte>(MessageType::ping)) continue;
        Scratch scratch;
        const auto ping = decode_ping(body_of(message), scratch);
        if (ping->node == "me2") {
          node.receive_message(*ping);  // the address is ours: it comes back, and nobody answers
        } else {
          node.receive_message(Ack{.sequence = ping->sequence, .payload = {}});
        }
      }
    }
    failed = member_events(node, MemberEventKind::failed, "me2") > 0;
  }
  EXPECT_TRUE(failed);
  EXPECT_EQ(node.stats().members_failed, 1u);
  EXPECT_EQ(node.stats().hosted, 3u);
}

TEST(HostingOptions, NameTheMemberAtFault) {
  EngineOptions options = crowded(1);
  options.hosted[0].meta.assign(513, 'x');
  EXPECT_EQ(problem_with(options).value_or(""),
            "hosted member \"me1\": Encoded length of tags exceeds limit of 512 bytes");
  options = crowded(1);
  options.hosted[0].name.clear();
  EXPECT_EQ(problem_with(options).value_or(""), "hosted member \"\": name is empty");
  options = crowded(3);
  options.capacity.hosted_max = 3;
  EXPECT_EQ(problem_with(options).value_or(""), "hosted members is 4, the bound is 3");
}

}  // namespace
}  // namespace starling::test
