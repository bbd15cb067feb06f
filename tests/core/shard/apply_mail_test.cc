// What lanes of one node do for each other; the counterpart of the tests of one lane.
#include "core/shard/apply_mail.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/support/laned_node.h"
#include "tests/support/node_talk.h"

namespace starling::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

EngineOptions laned_options() {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.push_pull_interval = Duration::zero();
  return options;
}

constexpr std::size_t peers = 24;

// Every other datagram arrives at another lane than the last.
void add_peers(LanedNode& node, std::uint32_t lanes) {
  for (std::size_t i = 0; i < peers; ++i) {
    node.receive_message(
        i % lanes,
        Peer{.name = "peer" + std::to_string(i), .host = static_cast<std::uint8_t>(20 + i)}.alive(
            1));
  }
}

class Lanes : public testing::TestWithParam<std::uint32_t> {
 protected:
  Lanes() : node_(laned_options(), GetParam()) { add_peers(node_, GetParam()); }

  // Answers every ping but those to `silent`; the pings' targets.
  std::multiset<std::string> answer_pings(std::string_view silent = {}) {
    std::multiset<std::string> targets;
    for (const ByteVector& message : node_.take_messages(MessageType::ping)) {
      Scratch scratch;
      const auto ping = decode_ping(body_of(message), scratch);
      targets.insert(std::string(ping->node));
      if (ping->node == silent) continue;
      node_.receive_message(targets.size() % GetParam(),
                            Ack{.sequence = ping->sequence, .payload = {}});
    }
    return targets;
  }

  LanedNode node_;
};

TEST_P(Lanes, TogetherKnowEveryMemberOnce) {
  const Stats stats = node_.stats();
  EXPECT_EQ(stats.members_alive, peers + 1);
  EXPECT_EQ(stats.nodes, peers + 1);
  std::multiset<std::string> joined;
  for (const KeptEvent& kept : node_.take_events()) {
    if (kept.event.change == MemberEventKind::join) joined.insert(kept.name);
  }
  EXPECT_EQ(joined.size(), peers + 1);
  EXPECT_EQ(std::set(joined.begin(), joined.end()).size(), peers + 1);
  if (GetParam() > 1) {
    EXPECT_GT(stats.counters.mails_sent, 0u);
  }
  EXPECT_EQ(stats.counters.mails_lost, 0u);
}

TEST_P(Lanes, ProbeEveryMemberAtTheRateOfOne) {
  std::set<std::string> probed;
  std::size_t pings = 0;
  for (int slice = 0; slice < 400; ++slice) {
    node_.advance(milliseconds(100));
    const std::multiset<std::string> targets = answer_pings();
    pings += targets.size();
    probed.insert(targets.begin(), targets.end());
  }
  EXPECT_NEAR(static_cast<double>(pings), 40, 8);
  EXPECT_EQ(probed.size(), peers);
  EXPECT_EQ(node_.stats().counters.probes_failed, 0u);
  EXPECT_EQ(node_.stats().health_score, 0u);
}

TEST_P(Lanes, AskMembersOfAllLanesForIndirectProbesAndFailTheSilent) {
  bool failed = false;
  std::set<Endpoint> relays;
  for (int slice = 0; slice < 1200 && !failed; ++slice) {
    node_.advance(milliseconds(100));
    for (const SentPacket& packet : node_.take_packets()) {
      for (const ByteVector& message : packet.messages) {
        Scratch scratch;
        if (message.front() == static_cast<std::byte>(MessageType::indirect_ping)) {
          const auto ping = decode_indirect_ping(body_of(message), scratch);
          EXPECT_EQ(ping->node, "peer7");
          EXPECT_TRUE(ping->nack);
          relays.insert(packet.to);
          node_.receive_message(0, Nack{.sequence = ping->sequence});
        }
        if (message.front() == static_cast<std::byte>(MessageType::ping)) {
          const auto ping = decode_ping(body_of(message), scratch);
          if (ping->node == "peer7") continue;
          node_.receive_message(0, Ack{.sequence = ping->sequence, .payload = {}});
        }
      }
    }
    for (const KeptEvent& kept : node_.take_events()) {
      failed |= kept.event.change == MemberEventKind::failed && kept.name == "peer7";
    }
  }
  EXPECT_TRUE(failed);
  EXPECT_GE(relays.size(), 2u);
  EXPECT_EQ(node_.stats().members_failed, 1u);
  EXPECT_EQ(node_.stats().health_score, 0u) << "every nack has reached the lane that waits for it";
}

TEST_P(Lanes, GossipReachesMembersOfAllLanes) {
  node_.advance(seconds(5));
  std::set<Endpoint> reached;
  std::set<std::string> subjects;
  for (const SentPacket& packet : node_.take_packets()) {
    for (const ByteVector& message : packet.messages) {
      if (message.front() != static_cast<std::byte>(MessageType::alive)) continue;
      Scratch scratch;
      subjects.insert(std::string(decode_alive(body_of(message), scratch)->node));
      reached.insert(packet.to);
    }
  }
  EXPECT_GE(reached.size(), 6u);
  EXPECT_EQ(subjects.size(), peers + 1);
}

// A node of few peers: the updates of a round go to as many of them as they would from one lane.
TEST_P(Lanes, GossipOfOneRoundGoesToDifferentMembers) {
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    EngineOptions options = laned_options();
    options.seed = seed;
    options.swim.probe_interval = Duration::zero();
    LanedNode node(options, GetParam());
    for (std::uint8_t i = 0; i < 2; ++i) {
      node.receive_message(
          0,
          Peer{.name = "peer" + std::to_string(seed * 2 + i), .host = std::uint8_t(20 + i)}.alive(
              1));
    }
    node.advance(seconds(3));
    node.take_packets();
    node.command({.kind = Command::Kind::leave, .token = 9});
    node.advance(seconds(3));
    std::map<Endpoint, std::size_t> told;
    for (const SentPacket& packet : node.take_packets()) {
      for (const ByteVector& message : packet.messages) {
        told[packet.to] += message.front() == static_cast<std::byte>(MessageType::dead);
      }
    }
    ASSERT_EQ(told.size(), 2u) << seed;
    for (const auto& [to, times] : told) EXPECT_EQ(times, 2u) << "seed " << seed;
  }
}

TEST_P(Lanes, RefuteWhereverTheAccusationArrives) {
  for (std::uint32_t lane = 0; lane < GetParam(); ++lane) {
    node_.receive_message(lane, suspect("me", 10 + lane, "peer1"));
  }
  EXPECT_EQ(node_.stats().incarnation, 10 + GetParam());
  EXPECT_EQ(node_.stats().counters.refutations, GetParam());
  EXPECT_EQ(node_.stats().health_score, std::min(GetParam(), 7u));
}

TEST_P(Lanes, DeliverAUserEventOnce) {
  for (std::uint32_t lane = 0; lane < GetParam(); ++lane) {
    node_.receive(
        lane, user_datagram(UserEvent{.time = LamportTime{5}, .name = "deploy", .payload = {}}));
  }
  std::size_t seen = 0;
  for (const KeptEvent& kept : node_.take_events()) {
    seen += kept.event.kind == Event::Kind::user && kept.name == "deploy";
  }
  EXPECT_EQ(seen, 1u);
  EXPECT_EQ(node_.stats().counters.user_events_duplicate, GetParam() - 1);
}

TEST_P(Lanes, HostMembersTakenInAndLetGoAtRunTime) {
  const Endpoint at = node_.options().advertise;
  std::uint64_t token = 100;
  const auto answers = [&] {
    std::vector<CommandResult> results;
    for (const KeptEvent& kept : node_.take_events()) {
      if (kept.event.kind == Event::Kind::done) results.push_back(kept.event.result);
    }
    return results;
  };
  using Results = std::vector<CommandResult>;
  for (int i = 0; i < 8; ++i) {
    const std::string name = "guest" + std::to_string(i);
    node_.command({.kind = Command::Kind::host, .token = ++token, .endpoint = at, .name = name});
    EXPECT_EQ(answers(), Results{CommandResult::ok}) << name;
    for (std::uint32_t lane = 0; lane < GetParam(); ++lane) {
      node_.take_packets();
      node_.receive_message(lane, Ping{.sequence = SequenceNumber{1}, .node = name, .source = {}});
      EXPECT_EQ(node_.take_messages(MessageType::ack).size(), 1u) << name << " at lane " << lane;
    }
  }
  node_.command({.kind = Command::Kind::host, .token = ++token, .endpoint = at, .name = "guest3"});
  EXPECT_EQ(answers(), Results{CommandResult::name_taken});
  node_.command({.kind = Command::Kind::host, .token = ++token, .endpoint = at, .name = "peer3"});
  EXPECT_EQ(answers(), Results{CommandResult::name_taken});
  EXPECT_EQ(node_.stats().hosted, 9u);
  node_.command({.kind = Command::Kind::set_meta,
                 .token = ++token,
                 .name = "guest5",
                 .payload = as_bytes("news")});
  node_.command({.kind = Command::Kind::abandon, .token = ++token, .name = "guest1"});
  node_.command({.kind = Command::Kind::unhost, .token = ++token, .name = "guest2"});
  node_.advance(seconds(20));
  EXPECT_EQ(answers().size(), 3u);
  EXPECT_EQ(node_.stats().hosted, 7u);
  EXPECT_EQ(node_.stats().members_left, 1u);
  for (std::uint32_t lane = 0; lane < GetParam(); ++lane) {
    node_.take_packets();
    node_.receive_message(lane,
                          Ping{.sequence = SequenceNumber{1}, .node = "guest1", .source = {}});
    EXPECT_TRUE(node_.take_messages(MessageType::ack).empty());
  }
  node_.command({.kind = Command::Kind::leave, .token = 7});
  node_.advance(seconds(20));
  EXPECT_EQ(answers(), Results{CommandResult::ok});
  EXPECT_EQ(node_.stats().members_left, 8u);
}

TEST_P(Lanes, ForceAFailedMemberToLeave) {
  node_.receive_message(0, dead("peer9", 1, "peer1"));
  node_.command({.kind = Command::Kind::force_leave, .token = 3, .name = "peer9"});
  node_.advance(seconds(10));
  EXPECT_EQ(node_.stats().members_left, 1u);
  EXPECT_EQ(node_.stats().members_failed, 0u);
}

INSTANTIATE_TEST_SUITE_P(Counts, Lanes, testing::Values(1u, 2u, 5u));

}  // namespace
}  // namespace starling::test
