#include "core/stream/inbound.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/core/stream/stream_sink.h"
#include "tests/support/alloc_counter.h"
#include "tests/support/recorded_packet.h"

namespace starling {
namespace {

using nlohmann::json;
using test::ByteVector;
using test::Carrier;
using test::CollectingSink;
using test::from_hex;
using test::RecordedPacket;
using test::to_hex;

struct Settings {
  EnvelopePolicy policy;
  Keyring keyring;
  InboundLimits limits;
  bool accepted = true;
};

// A stream with its memory.
class Stream {
 public:
  explicit Stream(const Settings& settings)
      : policy_(settings.policy),
        cipher_(settings.keyring),
        frame_(InboundStream::frame_room_bytes(settings.limits)),
        carry_(65'536),
        window_(4'096),
        inbound(settings.limits, policy_, cipher_, {frame_, carry_, window_}) {
    inbound.reset(settings.accepted);
  }

 private:
  EnvelopePolicy policy_;
  Cipher cipher_;
  ByteVector frame_;
  ByteVector carry_;
  ByteVector window_;

 public:
  InboundStream inbound;
};

// Small work memory for tests that build many streams.
InboundLimits small_limits() {
  InboundLimits limits;
  limits.frame_bytes_max = 1 << 17;
  return limits;
}

struct Outcome {
  std::string end;  // "done", "refused", "more" or the fault
  bool answer = false;
  std::string collected;
  friend bool operator==(const Outcome&, const Outcome&) = default;
  friend void PrintTo(const Outcome& outcome, std::ostream* to) {
    *to << outcome.end << (outcome.answer ? " with answer" : "") << ": " << outcome.collected;
  }
};

std::string text_of(const Decoded<StreamProgress>& progress) {
  if (!progress)
    return std::string(progress.error().layer) + " " + std::string(to_text(progress.error().fault));
  if (*progress == StreamProgress::more) return "more";
  return *progress == StreamProgress::done ? "done" : "refused";
}

template <class NextSize>
Outcome feed(Stream& stream, Bytes input, NextSize&& next_size) {
  CollectingSink sink;
  Decoded<StreamProgress> progress = StreamProgress::more;
  while (!input.empty() && progress && *progress == StreamProgress::more) {
    // A copy of its own, so that a view into an earlier piece is noticed by ASan.
    const ByteVector piece =
        test::to_vector(input.first(std::min<std::size_t>(input.size(), next_size())));
    input = input.subspan(piece.size());
    progress = stream.inbound.feed(piece, sink);
  }
  return {text_of(progress), !progress && stream.inbound.answer_with_error(),
          to_hex(sink.collected())};
}

Outcome feed_whole(const Settings& settings, Bytes input) {
  Stream stream(settings);
  return feed(stream, input, [] { return SIZE_MAX; });
}

// The same whole and in pieces; an error may be found later, but not another one.
Outcome feed_all_ways(const Settings& settings, Bytes input) {
  const Outcome whole = feed_whole(settings, input);
  Stream stream(settings);
  std::mt19937 random(static_cast<unsigned>(input.size()));
  for (int round = 0; round < 12; ++round) {
    stream.inbound.reset(settings.accepted);
    const std::size_t largest = round == 0 ? 1 : std::size_t{1} << (round % 9);
    EXPECT_EQ(feed(stream, input, [&] { return 1 + random() % largest; }), whole);
  }
  return whole;
}

Settings settings_of(const RecordedPacket& packet) {
  return {packet.policy(), packet.keyring, small_limits(), !packet.is_reply};
}

TEST(InboundStream, reads_every_recorded_stream_in_any_pieces) {
  std::size_t checked = 0;
  for (const RecordedPacket& packet : test::recorded_packets()) {
    if (packet.carrier != Carrier::stream) continue;
    SCOPED_TRACE(packet.id);
    const Outcome outcome = feed_all_ways(settings_of(packet), packet.bytes);
    EXPECT_EQ(outcome.end, "done");
    EXPECT_EQ(test::describe(from_hex(outcome.collected), Carrier::stream), packet.message);
    ++checked;
  }
  EXPECT_EQ(checked, 48u);
}

TEST(InboundStream, every_early_end_is_noticed_and_never_answered) {
  for (const RecordedPacket& packet : test::recorded_packets()) {
    if (packet.carrier != Carrier::stream) continue;
    SCOPED_TRACE(packet.id);
    Stream stream(settings_of(packet));
    const std::size_t stride = 1 + packet.bytes.size() / 100;
    for (std::size_t size = 0; size < packet.bytes.size(); size += stride) {
      stream.inbound.reset(!packet.is_reply);
      const Outcome outcome = feed(stream, Bytes(packet.bytes).first(size), [] { return 50u; });
      ASSERT_EQ(outcome.end, "more") << size;
      const auto finished = stream.inbound.finish();
      ASSERT_EQ(finished.has_value(), size == 0) << size;
      ASSERT_FALSE(stream.inbound.answer_with_error());
    }
    stream.inbound.reset(!packet.is_reply);
    feed(stream, packet.bytes, [] { return 50u; });
    EXPECT_EQ(text_of(stream.inbound.finish()), "done");
  }
}

TEST(InboundStream, flipped_bits_of_a_frame_are_answered_not_believed) {
  for (const RecordedPacket& packet : test::recorded_packets()) {
    if (packet.id != "label-stream-enc-v1" && packet.id != "pushpull-enc-v0") continue;
    Stream stream(settings_of(packet));
    const std::size_t body = packet.label.empty() ? 6 : 12;  // behind label, type, length, version
    for (std::size_t i = body; i < packet.bytes.size(); ++i) {
      ByteVector bad = packet.bytes;
      bad[i] ^= std::byte{0x10};
      stream.inbound.reset(true);
      const Outcome outcome = feed(stream, bad, [] { return SIZE_MAX; });
      ASSERT_EQ(outcome.end, "encryption mismatch");
      ASSERT_TRUE(outcome.answer);
      ASSERT_EQ(outcome.collected, "");
    }
  }
}

// What live nodes of HEAD did with each request: answer, error message, or close.
TEST(InboundStream, treats_live_requests_as_the_live_nodes_did) {
  std::size_t checked = 0;
  for (const char* mode : {"plain", "encrypted"}) {
    Settings settings;
    settings.limits.frame_bytes_max = 20u << 20;
    if (std::string_view(mode) == "encrypted") {
      ASSERT_TRUE(
          settings.keyring.add(*AesKey::from(from_hex("000102030405060708090a0b0c0d0e0f"))));
    }
    Stream stream(settings);
    const json& live = test::load_vectors("memberlist.json").at("live_scenarios").at("head");
    for (const json& scenario : live.at(mode).at("tcp")) {
      const std::string name = scenario.at("case");
      SCOPED_TRACE(name);
      const ByteVector request = from_hex(scenario.at("request_hex").get<std::string>());
      stream.inbound.reset(true);
      Outcome outcome = feed(stream, request, [] { return 7u; });
      if (outcome.end == "more") outcome.end = text_of(stream.inbound.finish());
      ++checked;
      const json& response = scenario.at("response");
      if (name == "frame with empty plaintext") {
        EXPECT_EQ(outcome.end, "encryption malformed");  // the live node crashed
      } else if (response.is_null()) {
        const bool user_or_other_ping =
            name.starts_with("user message 5") || name.starts_with("user message zero") ||
            name == "ping for another node" || name == "type 2 as first message" ||
            name == "FIN without data";
        EXPECT_EQ(outcome.end == "done", user_or_other_ping) << outcome.end;
        EXPECT_FALSE(outcome.answer);
      } else if (response.at("message").at("type") == "err") {
        EXPECT_NE(outcome.end, "done");
        EXPECT_TRUE(outcome.answer);
      } else {
        EXPECT_EQ(outcome.end, "done");
      }
    }
  }
  EXPECT_GE(checked, 38u);
}

Settings keyed() {
  Settings settings;
  settings.limits = small_limits();
  EXPECT_TRUE(settings.keyring.add(*AesKey::from(ByteVector(16, std::byte{1}))));
  return settings;
}
Settings plain() {
  Settings settings;
  settings.limits = small_limits();
  return settings;
}

const char* const small_ping = "0081a55365714e6f05";

ByteVector wrapped(const Settings& settings, Bytes message, std::size_t compress_bytes_max) {
  const auto wrapper = std::make_unique<Wrapper>();
  Cipher cipher(settings.keyring);
  ByteVector scratch(LzwEncoder::bound(message.size()));
  ByteVector out(Wrapper::stream_bound(message.size()));
  out.resize(wrapper->stream(message, settings.accepted, compress_bytes_max, settings.policy,
                             cipher, Nonce{}, scratch, out));
  EXPECT_FALSE(out.empty());
  return out;
}

TEST(InboundStream, plaintext_with_keys_needs_verifying_to_be_off) {
  Settings settings = keyed();
  const ByteVector ping = from_hex(small_ping);
  Outcome outcome = feed_all_ways(settings, ping);
  EXPECT_EQ(outcome.end, "encryption encryption required or not configured");
  EXPECT_TRUE(outcome.answer);
  settings.policy.verify_incoming = false;
  EXPECT_EQ(feed_all_ways(settings, ping).end, "done");
  EXPECT_EQ(feed_all_ways(settings, wrapped(settings, ping, 0)).end, "done");
}

TEST(InboundStream, frames_need_a_key) {
  const Outcome outcome = feed_all_ways(plain(), wrapped(keyed(), from_hex(small_ping), 0));
  EXPECT_EQ(outcome.end, "encryption encryption required or not configured");
  EXPECT_TRUE(outcome.answer);
}

TEST(InboundStream, frame_lengths_are_checked_before_a_byte_is_kept) {
  const Settings settings = keyed();
  for (const char* hex : {"0a00020001", "0affffffff", "0a0000001c", "0a00000000"}) {
    const Outcome outcome = feed_all_ways(settings, from_hex(hex));
    EXPECT_TRUE(outcome.answer) << hex;
    EXPECT_TRUE(outcome.end.starts_with("encryption t")) << outcome.end;
  }
  EXPECT_EQ(feed_all_ways(settings, from_hex("0a00020000")).end, "more") << "exactly the limit";
}

TEST(InboundStream, what_is_sealed_is_checked_like_anything_else) {
  const Settings settings = keyed();
  const auto sealed = [&](const char* hex) {
    return feed_all_ways(settings, wrapped(settings, from_hex(hex), 0));
  };
  EXPECT_EQ(sealed("0a0000001d").end, "stream unsupported") << "a frame in a frame";
  EXPECT_FALSE(sealed("0a0000001d").answer);
  EXPECT_EQ(sealed("0081a5536571").end, "stream truncated");
  EXPECT_FALSE(sealed("0081a5536571").answer);
  EXPECT_EQ(sealed("0982a4416c").end, "stream truncated");
  EXPECT_TRUE(sealed("0982a4416c").answer);
  EXPECT_EQ(sealed("09").end, "stream truncated");
  EXPECT_EQ(sealed("0081a55365714e6f05ffff").end, "done") << "surplus is ignored";
}

TEST(InboundStream, label_rules_of_the_accepting_side) {
  Settings blue = plain();
  blue.policy.label.label = "blue";
  const std::string header = "f404626c7565";
  EXPECT_EQ(feed_all_ways(blue, from_hex(header + small_ping)).end, "done");
  for (const std::string& bad : {std::string(small_ping), header + header + small_ping,
                                 std::string("f400"), "f403726564" + std::string(small_ping)}) {
    const Outcome outcome = feed_all_ways(blue, from_hex(bad));
    EXPECT_NE(outcome.end, "done") << bad;
    EXPECT_FALSE(outcome.answer);
  }
  EXPECT_NE(feed_all_ways(plain(), from_hex(header + small_ping)).end, "done");
  blue.accepted = false;
  EXPECT_EQ(feed_all_ways(blue, from_hex(small_ping)).end, "done") << "answers carry no label";
  EXPECT_EQ(feed_all_ways(blue, from_hex(header + small_ping)).end, "stream unsupported");
  blue.accepted = true;
  blue.policy.label.skip_inbound_check = true;
  EXPECT_EQ(feed_all_ways(blue, from_hex(small_ping)).end, "done");
}

TEST(InboundStream, plaintext_is_bounded) {
  Settings settings = plain();
  settings.limits.plain_bytes_max = 100;
  ByteVector user = from_hex("0881aa557365724d73674c656ecc80");
  user.resize(user.size() + 128);
  const Outcome outcome = feed_all_ways(settings, user);
  EXPECT_EQ(outcome.end, "stream too large");
  EXPECT_FALSE(outcome.answer);
  Settings sealed = keyed();
  sealed.limits.plain_bytes_max = 100;
  EXPECT_EQ(feed_whole(sealed, wrapped(sealed, user, 0)).end, "done") << "frames have their own";
}

TEST(InboundStream, a_refusal_is_final) {
  const RecordedPacket* packet = nullptr;
  for (const auto& each : test::recorded_packets()) {
    if (each.id == "live-encc-pushPull-c2s-sync") packet = &each;
  }
  ASSERT_NE(packet, nullptr);
  Stream stream(settings_of(*packet));
  for (std::size_t call = 0; call < 5; ++call) {
    stream.inbound.reset(true);
    CollectingSink sink;
    sink.refuse_at(call);
    ASSERT_EQ(text_of(stream.inbound.feed(packet->bytes, sink)), "refused");
    ASSERT_EQ(sink.calls(), call + 1);
    ASSERT_EQ(text_of(stream.inbound.feed(packet->bytes, sink)), "refused");
    ASSERT_EQ(text_of(stream.inbound.finish()), "refused");
    ASSERT_EQ(sink.calls(), call + 1);
  }
}

// A push/pull of many members, compressed: 20 MB through 64 KiB of carry and 4 KiB of window.
TEST(InboundStream, a_large_state_passes_through_small_memory) {
  class Counter : public InboundSink {
   public:
    bool on_push_pull_header(const PushPullHeader& header) override {
      nodes_announced = header.nodes;
      return true;
    }
    bool on_node(const NodeState& state) override {
      ++nodes;
      return state.port == 7946;
    }
    bool on_user_state(Bytes part) override {
      user_bytes += part.size();
      return true;
    }
    bool on_user_message_header(const UserHeader&) override { return false; }
    bool on_user_bytes(Bytes) override { return false; }
    bool on_ping(const Ping&) override { return false; }
    bool on_ack(const Ack&) override { return false; }
    bool on_error_message(const ErrorMessage&) override { return false; }
    std::int64_t nodes_announced = 0;
    std::int64_t nodes = 0;
    std::uint64_t user_bytes = 0;
  };
  constexpr std::int64_t nodes = 100'000;
  constexpr std::size_t user_bytes = 5'000'000;
  ByteVector message(25'000'000);
  Writer out(message);
  encode(PushPullHeader{nodes, user_bytes, true}, out, SignedStyle::signed_form);
  const ByteVector address(4, std::byte{10});
  const ByteVector versions(6, std::byte{2});
  for (std::int64_t i = 0; i < nodes; ++i) {
    const std::string name = "member-" + std::to_string(i);
    encode(NodeState{name, address, 7946, {}, Incarnation{1}, 0, versions}, out);
  }
  out.put(ByteVector(user_bytes, std::byte{7}));
  ASSERT_TRUE(out.ok());
  const ByteVector sent = wrapped(plain(), out.written(), SIZE_MAX);

  Stream stream(plain());
  Counter counter;
  const test::AllocationCounter allocations;
  Decoded<StreamProgress> progress = StreamProgress::more;
  for (std::size_t at = 0; at < sent.size() && progress; at += 16'384) {
    progress = stream.inbound.feed(
        Bytes(sent).subspan(at, std::min<std::size_t>(16'384, sent.size() - at)), counter);
  }
  EXPECT_EQ(text_of(progress), "done");
  EXPECT_EQ(counter.nodes, nodes);
  EXPECT_EQ(counter.user_bytes, user_bytes);
  EXPECT_EQ(allocations.count(), 0u);
}

}  // namespace
}  // namespace starling
