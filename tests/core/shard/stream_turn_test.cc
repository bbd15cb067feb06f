// Streams as a node serves and dials them (protocol/memberlist sections 5, 11.2, 15), and every
// request that a live Go node was asked, with the answer it gave.
#include <gtest/gtest.h>

#include "core/stream/inbound.h"
#include "tests/support/lone_node.h"
#include "tests/support/message_json.h"
#include "tests/support/peer_messages.h"
#include "tests/support/stream_talk.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

// What the node did with one accepted stream: the bytes it answered, and whether it ended it.
struct Answer {
  ByteVector bytes;
  bool ended = false;
};

// Plays a peer that dials, sends `request` in pieces of `piece` bytes, and ends its side.
Answer ask(LoneNode& node, Bytes request, std::size_t piece, bool half_close) {
  Answer answer;
  node.take_stream_ops();
  const auto settle = [&] {
    for (const StreamOp& op : node.take_stream_ops()) {
      if (op.stream != accepted) continue;
      if (op.kind == StreamOp::Kind::write) {
        answer.bytes = to_vector(op.bytes);
        node.stream_event(
            {.kind = StreamEvent::Kind::written, .stream = accepted, .peer = dialler, .bytes = {}});
        for (const StreamOp& end : node.take_stream_ops()) {
          answer.ended |= end.kind == StreamOp::Kind::close || end.kind == StreamOp::Kind::finish;
        }
      } else {
        answer.ended = true;
      }
    }
  };
  node.stream_event(
      {.kind = StreamEvent::Kind::accepted, .stream = accepted, .peer = dialler, .bytes = {}});
  for (std::size_t at = 0; at < request.size() && !answer.ended; at += piece) {
    const Bytes part = request.subspan(at, std::min(piece, request.size() - at));
    node.stream_event(
        {.kind = StreamEvent::Kind::readable, .stream = accepted, .peer = dialler, .bytes = part});
    settle();
  }
  if (!answer.ended && half_close) {
    node.stream_event(
        {.kind = StreamEvent::Kind::closed, .stream = accepted, .peer = dialler, .bytes = {}});
    settle();
  }
  if (!answer.ended) {
    node.advance(node.options().swim.stream_timeout + 1ms);
    settle();
  }
  return answer;
}

class LiveScenarios : public testing::TestWithParam<std::string> {
 protected:
  static LoneNode target(bool encrypted) {
    EngineOptions options = LoneNode::options_named("tgt");
    options.swim.probe_interval = Duration::zero();
    options.swim.gossip_interval = Duration::zero();
    options.swim.push_pull_interval = Duration::zero();
    if (encrypted) {
      const ByteVector key = from_hex("000102030405060708090a0b0c0d0e0f");
      EXPECT_TRUE(options.keyring.add(*AesKey::from(key)));
    }
    // The recorded node was a bare memberlist node without Serf above it.
    options.versions.delegate_min = options.versions.delegate_max =
        options.versions.delegate_current = 0;
    return LoneNode(options);
  }
};

TEST_P(LiveScenarios, StreamsAreAnsweredAsTheRealNodeDid) {
  const bool encrypted = GetParam() == "encrypted";
  for (const json& scenario :
       load_vectors("memberlist.json")["live_scenarios"]["head"][GetParam()]["tcp"]) {
    SCOPED_TRACE(scenario["case"].get<std::string>());
    const std::string digits = scenario["request_hex"];
    if (digits.find('(') != std::string::npos) continue;  // only its length was recorded
    const ByteVector request = from_hex(digits);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, request.size() + 1}) {
      LoneNode node = target(encrypted);
      const bool half_close = scenario["half_close"].get<bool>() || request.empty();
      const Answer answer = ask(node, request, piece, half_close);
      EXPECT_TRUE(answer.ended);
      const json& recorded = scenario["response"];
      if (scenario["crashed"] != false) continue;  // it killed the real node; we are still here
      if (recorded.is_null()) {
        EXPECT_TRUE(answer.bytes.empty()) << to_hex(answer.bytes);
        continue;
      }
      ASSERT_FALSE(answer.bytes.empty());
      if (encrypted) {
        EXPECT_EQ(answer.bytes.front(), std::byte{10});
        continue;
      }
      const json message = describe(answer.bytes, Carrier::stream);
      const json wanted = canonical(recorded["message"]);
      EXPECT_EQ(message["type"], wanted["type"]) << message.dump();
      if (wanted["type"] == "ackResp") {
        EXPECT_EQ(message, wanted);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Head, LiveScenarios, testing::Values("plain", "encrypted"));

TEST(LiveScenariosOnDatagrams, AreAnsweredAsTheRealNodeDid) {
  for (const bool encrypted : {false, true}) {
    const char* const kind = encrypted ? "encrypted" : "plain";
    for (const json& scenario :
         load_vectors("memberlist.json")["live_scenarios"]["head"][kind]["udp"]) {
      SCOPED_TRACE(scenario["case"].get<std::string>());
      const std::string digits = scenario["request_hex"];
      if (digits.find('(') != std::string::npos) continue;
      EngineOptions options = LoneNode::options_named("tgt");
      if (encrypted) {
        const ByteVector key = from_hex("000102030405060708090a0b0c0d0e0f");
        EXPECT_TRUE(options.keyring.add(*AesKey::from(key)));
      }
      LoneNode node(options);
      node.receive(from_hex(digits));
      std::vector<std::uint32_t> acks;
      for (const ByteVector& message : node.take_messages(MessageType::ack)) {
        Scratch scratch;
        acks.push_back(to_number(decode_ack(body_of(message), scratch)->sequence));
      }
      if (scenario["ack_seqnos"].is_array()) {
        EXPECT_EQ(json(acks), scenario["ack_seqnos"]);
      } else {
        EXPECT_EQ(acks.size(), scenario["packets_back"].get<std::size_t>());
      }
    }
  }
}

EngineOptions silent(std::string name, std::uint8_t host) {
  EngineOptions options = LoneNode::options_named(std::move(name));
  options.advertise.address = IpAddress::v4(127, 0, 0, host);
  options.swim.probe_interval = Duration::zero();
  options.swim.gossip_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  return options;
}

std::optional<CommandResult> result_of(LoneNode& node, std::uint64_t token) {
  for (const KeptEvent& kept : node.take_events()) {
    if (kept.event.kind == Event::Kind::done && kept.event.token == token) {
      return kept.event.result;
    }
  }
  return std::nullopt;
}

class JoinForms : public testing::TestWithParam<std::tuple<bool, bool, std::string>> {};

TEST_P(JoinForms, BothSidesKnowEachOtherAfterwards) {
  const auto& [compress, encrypt, label] = GetParam();
  EngineOptions first = silent("a", 2);
  EngineOptions second = silent("b", 3);
  for (EngineOptions* options : {&first, &second}) {
    options->compress = compress;
    options->label = label;
    if (encrypt) {
      EXPECT_TRUE(
          options->keyring.add(*AesKey::from(from_hex("000102030405060708090a0b0c0d0e0f"))));
    }
  }
  LoneNode a(first);
  LoneNode b(second);
  b.command({.kind = Command::Kind::user_event, .name = "old", .payload = as_bytes("x")});
  a.command(
      {.kind = Command::Kind::join, .token = 1, .endpoint = second.advertise, .announce = true});
  exchange(a, b);
  EXPECT_EQ(result_of(a, 1), CommandResult::ok);
  EXPECT_EQ(a.stats().members_alive, 2u);
  EXPECT_EQ(b.stats().members_alive, 2u);
  EXPECT_EQ(a.stats().counters.user_events, 1u) << "events are replayed";
  EXPECT_EQ(a.stats().event_time, b.stats().event_time);
  EXPECT_EQ(a.stats().intent_queue, 1u) << "the join intent";
  EXPECT_EQ(a.stats().streams, 0u);
  EXPECT_EQ(b.stats().streams, 0u);
  for (LoneNode* node : {&a, &b}) {
    EXPECT_EQ(node->stats().counters.stream_messages_out, 1u);
    EXPECT_GT(node->stats().counters.stream_bytes_out, 100u);
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, JoinForms,
                         testing::Combine(testing::Bool(), testing::Bool(),
                                          testing::Values("", "blue")));

TEST(Join, CanSkipOlderEvents) {
  LoneNode a(silent("a", 2));
  LoneNode b(silent("b", 3));
  b.command({.kind = Command::Kind::user_event, .name = "old", .payload = as_bytes("x")});
  a.command({.kind = Command::Kind::join,
             .token = 1,
             .endpoint = b.options().advertise,
             .ignore_old = true});
  exchange(a, b);
  EXPECT_EQ(result_of(a, 1), CommandResult::ok);
  EXPECT_EQ(a.stats().counters.user_events, 0u);
}

TEST(Join, ReportsWhyItFailed) {
  LoneNode a(silent("a", 2));
  const Endpoint nobody{IpAddress::v4(127, 0, 0, 7), 7946};
  a.command({.kind = Command::Kind::join, .token = 1, .endpoint = nobody});
  const std::vector<StreamOp> ops = a.take_stream_ops();
  a.stream_event({.kind = StreamEvent::Kind::failed,
                  .stream = ops.at(0).stream,
                  .peer = nobody,
                  .bytes = {},
                  .error_number = 111});
  EXPECT_EQ(result_of(a, 1), CommandResult::refused);
  a.command({.kind = Command::Kind::join, .token = 2, .endpoint = nobody});
  a.advance(10s + 2ms);
  EXPECT_EQ(result_of(a, 2), CommandResult::timed_out);
  EXPECT_EQ(a.stats().counters.push_pulls_ended, 2u);
  EXPECT_GE(a.stats().counters.push_pull_nanoseconds, 10'000'000'000u);
  EXPECT_EQ(a.take_stream_ops().back().kind, StreamOp::Kind::close);
  EXPECT_EQ(a.stats().streams, 0u);
}

TEST(Join, RefusesAClusterOfOtherVersions) {
  LoneNode a(silent("a", 2));
  EngineOptions bare = silent("b", 3);
  bare.versions.delegate_min = bare.versions.delegate_max = bare.versions.delegate_current = 0;
  LoneNode b(bare);
  a.command({.kind = Command::Kind::join, .token = 1, .endpoint = bare.advertise});
  exchange(a, b);
  EXPECT_EQ(result_of(a, 1), CommandResult::versions);
  EXPECT_EQ(a.stats().nodes, 1u);
  EXPECT_EQ(b.stats().nodes, 1u);
}

TEST(Restart, ANewIncarnationOvertakesWhatTheClusterRemembers) {
  LoneNode b(silent("b", 3));
  // What b remembers of an earlier run of a.
  const Peer earlier{.name = "a", .host = 2};
  b.receive_message(earlier.alive(5));
  b.receive_message(dead("a", 5, "b"));
  LoneNode a(silent("a", 2));
  a.command({.kind = Command::Kind::join, .token = 1, .endpoint = b.options().advertise});
  exchange(a, b);
  EXPECT_EQ(result_of(a, 1), CommandResult::ok);
  EXPECT_EQ(a.stats().incarnation, 6u);
}

TEST(Streams, MoreThanThePoolAreRefused) {
  LoneNode node(silent("a", 2));
  const std::uint32_t most = node.options().capacity.streams_max;
  for (std::uint32_t i = 0; i <= most; ++i) {
    node.stream_event({.kind = StreamEvent::Kind::accepted,
                       .stream = StreamId{stream_accepted_bit | i},
                       .peer = dialler,
                       .bytes = {}});
  }
  EXPECT_EQ(node.stats().streams, most);
  EXPECT_EQ(node.stats().counters.streams_refused, 1u);
  node.advance(node.options().swim.stream_timeout + 2ms);
  EXPECT_EQ(node.stats().streams, 0u) << "an idle peer is not waited for";
}

}  // namespace
}  // namespace starling::test
