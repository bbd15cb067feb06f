// Any stream, plain or as the inside of a sealed frame: chunk boundaries change nothing. The first
// byte chooses the chunks, the second the layers around the input.
#include <memory>
#include <vector>

#include "core/stream/inbound.h"
#include "tests/fuzz/fuzz.h"

namespace starling {
namespace {

constexpr std::size_t item_bytes_max = 600;

// Writes again what it is given.
class Echo : public InboundSink {
 public:
  bool on_push_pull_header(const PushPullHeader& header) override {
    return append(header, SignedStyle::signed_form);
  }
  bool on_node(const NodeState& state) override { return append(state); }
  bool on_user_state(Bytes part) override { return append_bytes(part); }
  bool on_user_message_header(const UserHeader& header) override {
    return append(header, SignedStyle::signed_form);
  }
  bool on_user_bytes(Bytes part) override { return append_bytes(part); }
  bool on_ping(const Ping& ping) override { return append(ping); }
  bool on_ack(const Ack& ack) override { return append(ack); }
  bool on_error_message(const ErrorMessage& message) override { return append(message); }

  std::vector<std::byte> encoded;

 private:
  template <class Part, class... Style>
  bool append(const Part& part, Style... style) {
    std::array<std::byte, item_bytes_max + Scratch::bytes_max + 256> room;
    Writer out(room);
    encode(part, out, style...);
    CHECK(out.ok());
    return append_bytes(out.written());
  }
  bool append_bytes(Bytes bytes) {
    CHECK(!bytes.empty());
    encoded.insert(encoded.end(), bytes.begin(), bytes.end());
    return true;
  }
};

InboundLimits small_limits() {
  InboundLimits limits;
  limits.frame_bytes_max = 1 << 14;
  limits.inflated_bytes_max = 1 << 15;
  limits.plain_bytes_max = 1 << 14;
  limits.user_message_bytes_max = 5000;
  limits.push_pull.user_state_bytes_max = 5000;
  return limits;
}

Keyring one_key() {
  Keyring keyring;
  const std::array<std::byte, 16> raw{std::byte{0x2a}};
  CHECK(keyring.add(*AesKey::from(raw)));
  return keyring;
}

// Built once: key schedules and work memory cost more than an input.
struct Bench {
  InboundLimits limits = small_limits();
  EnvelopePolicy policy;
  std::vector<std::byte> frame = std::vector<std::byte>(InboundStream::frame_room_bytes(limits));
  std::vector<std::byte> carry = std::vector<std::byte>(item_bytes_max);
  std::vector<std::byte> window = std::vector<std::byte>(64);
  Cipher no_cipher{Keyring()};
  Cipher cipher{one_key()};
  InboundStream plain{limits, policy, no_cipher, {frame, carry, window}};
  InboundStream keyed{limits, policy, cipher, {frame, carry, window}};
};

struct ExchangeOutcome {
  std::vector<std::byte> told;
  bool good = true;
  StreamProgress progress = StreamProgress::more;
  bool answer = false;
  WireFault fault{};
  bool operator==(const ExchangeOutcome&) const = default;
};

template <class NextSize>
ExchangeOutcome feed(InboundStream& stream, bool accepted, Bytes input, NextSize&& next_size) {
  stream.reset(accepted);
  Echo echo;
  const bool nothing = input.empty();
  auto progress = stream.feed({}, echo);
  while (!input.empty() && progress) {
    const Bytes chunk = input.first(std::min<std::size_t>(next_size(), input.size()));
    input = input.subspan(chunk.size());
    // A copy that is gone after the call: nothing may point into it later.
    const std::vector<std::byte> copy(chunk.begin(), chunk.end());
    progress = stream.feed(copy, echo);
  }
  ExchangeOutcome outcome{.told = echo.encoded, .good = progress.has_value()};
  if (progress) {
    outcome.progress = *progress;
  } else {
    outcome.answer = stream.answer_with_error();
    outcome.fault = progress.error().fault;
  }
  const auto finished = stream.finish();
  const bool complete = progress && (nothing || *progress != StreamProgress::more);
  CHECK(finished.has_value() == complete);
  return outcome;
}

// A frame around the input, as a peer that has the key can forge it.
std::vector<std::byte> sealed(Bench& bench, Bytes input) {
  const std::size_t size = Cipher::sealed_size(1, input.size());
  const FrameHeader header(static_cast<std::uint32_t>(size), bench.policy.label.label);
  std::vector<std::byte> frame(FrameHeader::size + size);
  std::ranges::copy(header.bytes(), frame.begin());
  CHECK(bench.cipher.seal(1, Nonce{}, header.associated(), input,
                          MutableBytes(frame).subspan(FrameHeader::size)) == size);
  return frame;
}

void check_inbound_stream(Bytes input) {
  static const auto bench = std::make_unique<Bench>();
  fuzz::ChunkSizes sizes(fuzz::take_byte(input));
  const std::uint8_t choice = fuzz::take_byte(input);
  const bool accepted = (choice & 1) == 0;
  bench->policy.verify_incoming = (choice & 2) == 0;
  bench->policy.label.label = (choice & 4) == 0 ? "" : "blue";
  InboundStream& stream = (choice & 8) == 0 ? bench->plain : bench->keyed;
  std::vector<std::byte> frame;
  if ((choice & 24) == 24) {
    frame = sealed(*bench, input);
    input = frame;
  }
  const ExchangeOutcome whole = feed(stream, accepted, input, [] { return SIZE_MAX; });
  CHECK(feed(stream, accepted, input, [&] { return sizes.next(); }) == whole);
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_inbound_stream)
