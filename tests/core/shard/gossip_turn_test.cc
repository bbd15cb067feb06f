// Gossip ticks (protocol/memberlist section 14).
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"
#include "tests/support/peer_messages.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

TEST(SwimGossip, SendsAnUpdateAsOftenAsTheLimitSays) {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.probe_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  LoneNode node(options);
  node.receive_message(Peer{.name = "a", .host = 2}.alive(1));
  node.receive_message(Peer{.name = "b", .host = 3}.alive(1));
  std::size_t about_a = 0;
  node.advance(10s);
  for (const ByteVector& message : node.take_messages(MessageType::alive)) {
    Scratch scratch;
    about_a += decode_alive(body_of(message), scratch)->node == "a";
  }
  EXPECT_EQ(about_a, 4u) << "4 * ceil(log10(3 + 1))";
  EXPECT_EQ(node.stats().membership_queue, 0u);
}

TEST(SwimGossip, OfFiveMembersFourGetAnUpdateThatIsSentFourTimes) {
  LoneNode node = quiet_node();
  for (std::uint8_t host = 2; host <= 6; ++host) {
    node.receive_message(
        Peer{.name = std::string(1, static_cast<char>('a' + host)), .host = host}.alive(1));
  }
  node.advance(10s);
  node.take_packets();
  std::map<Endpoint, int> told;
  constexpr int updates = 300;
  for (int update = 0; update < updates; ++update) {
    node.receive(
        user_datagram(UserEvent{.time = LamportTime{static_cast<std::uint64_t>(update + 1)},
                                .name = "deploy",
                                .payload = {}}));
    node.advance(1s);
    std::set<Endpoint> reached;
    for (const SentPacket& packet : node.take_packets()) reached.insert(packet.to);
    EXPECT_EQ(reached.size(), 4u);
    for (const Endpoint& each : reached) ++told[each];
  }
  for (const auto& [endpoint, times] : told) EXPECT_NEAR(times, updates * 4 / 5, 50);
}

TEST(SwimGossip, GoesToTheDeadOnlyForAWhile) {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.probe_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  LoneNode node(options);
  const Peer a{.name = "a", .host = 2};
  node.receive_message(a.alive(1));
  node.receive_message(dead("a", 1, "b"));
  node.advance(5s);
  EXPECT_FALSE(node.take_packets().empty()) << "the recently dead hear of it";
  node.advance(40s);
  node.take_packets();
  node.receive_message(suspect("me", 1, "b"));  // something new to say
  node.advance(5s);
  EXPECT_TRUE(node.take_packets().empty()) << "the long dead do not";
}

// A stream of news about a table of members, as churn makes it. Virtual time, a step a millisecond.
class Churn {
 public:
  static constexpr std::uint32_t members = 1100;
  // 4 * ceil(log10(1101 + 1))
  static constexpr std::uint32_t transmits = 16;

  explicit Churn(std::uint64_t bytes_per_second_max) : node_(options(bytes_per_second_max)) {
    for (std::uint32_t i = 0; i < members; ++i) names_.push_back("member-" + std::to_string(i));
    for (std::uint32_t i = 0; i < members; ++i) update();
    drain();
  }
  // Waits until nothing is queued, and forgets what was sent.
  void drain() {
    for (int second = 0; second < 600 && queued() > 0; ++second) node_.advance(1s);
    EXPECT_EQ(queued(), 0u);
    node_.take_packets();
    node_.take_events();
  }
  // `per_second` news a second, each about another member than the last thousand.
  void run(Duration duration, std::uint32_t per_second) {
    const Instant end = node_.now() + duration;
    while (node_.now() < end) {
      update();
      node_.advance(Duration(1'000'000'000 / per_second));
      deepest_ = std::max(deepest_, queued());
    }
  }
  void update() {
    const std::uint32_t number = updates_++ % members;
    node_.receive_message(
        Peer{.name = names_[number],
             .address = IpAddress::v4(10, 0, static_cast<std::uint8_t>(number >> 8),
                                      static_cast<std::uint8_t>(number))}
            .alive(1 + updates_ / members));
  }
  std::uint32_t queued() { return node_.stats().membership_queue; }
  std::uint32_t deepest() const { return deepest_; }
  LoneNode& node() { return node_; }

 private:
  static EngineOptions options(std::uint64_t bytes_per_second_max) {
    EngineOptions options = LoneNode::options_named("me");
    options.capacity.members_max = members + 1;
    options.capacity.event_ring_bytes = 1 << 24;
    options.swim.probe_interval = Duration::zero();
    options.swim.push_pull_interval = Duration::zero();
    options.swim.gossip_bytes_per_second_max = bytes_per_second_max;
    return options;
  }

  LoneNode node_;
  std::vector<std::string> names_;
  std::uint32_t updates_ = 0;
  std::uint32_t deepest_ = 0;
};

TEST(SwimGossip, AThousandUpdatesASecondKeepABoundedQueue) {
  Churn churn(4'000'000);
  churn.run(5s, 1000);
  const std::uint32_t after_five = churn.deepest();
  churn.node().take_packets();
  churn.run(5s, 1000);
  // What comes in during a tick, and what the packets of a tick hold.
  EXPECT_LT(churn.deepest(), 400u);
  EXPECT_LT(churn.deepest(), after_five + 50) << "it does not grow";
  EXPECT_EQ(churn.node().stats().broadcasts_dropped, 0u);
}

TEST(SwimGossip, WithoutSurplusTheSameQueueGrows) {
  Churn churn(0);
  churn.run(3s, 1000);
  EXPECT_GT(churn.queued(), 900u) << "nearly every member waits: only replacement bounds it";
}

TEST(SwimGossip, AnUpdateIsSentAsOftenAsEverHoweverSoon) {
  Churn churn(4'000'000);
  for (std::uint32_t i = 0; i < 500; ++i) churn.update();
  std::map<std::string, std::uint32_t> sent;
  churn.node().advance(30s);
  for (const ByteVector& message : churn.node().take_messages(MessageType::alive)) {
    Scratch scratch;
    ++sent[std::string(decode_alive(body_of(message), scratch)->node)];
  }
  EXPECT_EQ(sent.size(), 500u);
  for (const auto& [name, times] : sent) EXPECT_EQ(times, Churn::transmits) << name;
}

TEST(SwimGossip, ALaneThatIsOverrunSendsNoSurplus) {
  Churn churn(4'000'000);
  for (std::uint32_t i = 0; i < 1000; ++i) churn.update();
  churn.node().take_packets();
  std::array<std::byte, 64> room;
  Writer out(room);
  encode(Nack{.sequence = SequenceNumber{77}}, out);
  const std::uint32_t before = churn.queued();
  const auto answer_to_ping = [&](std::size_t others) {
    std::array<std::byte, 256> ping_room;
    Writer ping(ping_room);
    encode(Ping{.sequence = SequenceNumber{5}, .node = "me", .source = {}}, ping);
    for (int turn = 0; turn < 10; ++turn) churn.node().receive_burst(out.written(), others, 0ms);
    churn.node().take_packets();
    churn.node().receive_burst(ping.written(), 1 + others, 0ms);
    return churn.node().take_packets().front().bytes.size();
  };
  EXPECT_GT(answer_to_ping(0), 1000u) << "an ack takes along what fits";
  for (int turn = 0; turn < 200; ++turn) {
    churn.node().receive_burst(out.written(), burst_usual, 5ms);
  }
  EXPECT_GE(churn.node().take_packets().size(), 15u) << "the ordinary packets of a second go on";
  EXPECT_GT(churn.queued(), before - 200);
  EXPECT_LT(answer_to_ping(burst_usual), 300u) << "an overrun lane answers quickly";
  churn.node().advance(1s);
  EXPECT_GT(churn.node().take_packets().size(), 200u) << "afterwards it catches up";
}

TEST(SwimGossip, StaysBelowTheByteRate) {
  for (const std::uint64_t rate : {100'000u, 400'000u}) {
    Churn churn(rate);
    const std::uint64_t before = churn.node().stats().counters.bytes_out;
    churn.run(4s, 2000);  // more than the rate lets through
    const std::uint64_t sent = churn.node().stats().counters.bytes_out - before;
    // A burst of one tick may come on top, and the ordinary packets come whatever the rate says.
    EXPECT_LE(sent, rate * 4 + rate / 5 + 3 * 1500);
    EXPECT_GT(sent, rate * 3) << "it uses what it may";
  }
}

TEST(SwimGossip, DoesNotChangeWhileTheQueueFitsTheOrdinaryPackets) {
  const auto packets_of = [](std::uint64_t rate) {
    Churn churn(rate);
    std::vector<std::pair<Endpoint, ByteVector>> packets;
    for (int round = 0; round < 5; ++round) {
      for (std::uint32_t i = 0; i < 30; ++i) churn.update();
      churn.node().advance(3s);
      for (const SentPacket& packet : churn.node().take_packets()) {
        packets.emplace_back(packet.to, packet.bytes);
      }
    }
    return packets.size();
  };
  EXPECT_EQ(packets_of(4'000'000), packets_of(0));
}

}  // namespace
}  // namespace starling::test
