#include "tests/support/laned_node.h"

#include "wire/envelope.h"

namespace starling::test {

namespace {
constexpr std::size_t lane_blanks = 256;
}

LanedNode::LanedNode(EngineOptions options, std::uint32_t lanes) : options_(std::move(options)) {
  options_.lanes = lanes;
  memory_ = std::make_unique<ArenaBlock>(Engine::footprint(options_) + 4096);
  cipher_.emplace(options_.keyring);
  workspace_.resize(Peeler::workspace_bytes({}));
  parts_.resize(4096);
  rooms_.resize(lane_blanks * options_.packet_room_bytes());
  auto engine = Engine::create(options_, memory_->arena().bytes(Engine::footprint(options_)), now_);
  if (!engine) CHECK(false && "the options of this test do not start an engine");
  engine_.emplace(std::move(*engine));
  due_.assign(lanes, now_);
  turn_all();
}

void LanedNode::receive(std::size_t lane, Bytes datagram, const Endpoint& from) {
  const RxPacket packet{.from = from, .bytes = datagram, .cookie = 0};
  turn(lane, std::span(&packet, 1));
  turn_all();
}

void LanedNode::advance(Duration duration) {
  const Instant end = now_ + duration;
  while (true) {
    const Instant next = *std::min_element(due_.begin(), due_.end());
    if (next > end) break;
    // Never stand still: the wheel's tick is a millisecond.
    now_ = std::max(now_ + std::chrono::microseconds(1), next);
    turn_all();
  }
  now_ = std::max(now_, end);
  turn_all();
}

void LanedNode::command(const Command& command) {
  CHECK(engine_->commands().send(command));
  turn(0, {});
  turn_all();
}

void LanedNode::stream_event(const StreamEvent& event) {
  engine_->lane().on_stream(now_, event);
  turn(0, {});
  turn_all();
}

void LanedNode::turn_all() {
  for (int rounds = 0; rounds < 1000; ++rounds) {
    bool worked = false;
    for (std::size_t lane = 0; lane < due_.size(); ++lane) {
      if (due_[lane] > now_ && !engine_->lanes()[lane].has_mail()) continue;
      worked |= turn(lane, {});
    }
    if (!worked) return;
  }
  CHECK(false && "the lanes do not come to rest");
}

bool LanedNode::turn(std::size_t lane, std::span<const RxPacket> rx) {
  std::array<TxPacket, lane_blanks> tx;
  for (std::size_t i = 0; i < tx.size(); ++i) {
    tx[i].room = MutableBytes(rooms_).subspan(i * options_.packet_room_bytes(),
                                              options_.packet_room_bytes());
  }
  const PollResult result = engine_->lanes()[lane].poll(now_, rx, tx);
  due_[lane] = std::max(result.next_due, now_ + std::chrono::microseconds(1));
  const EnvelopePolicy policy{.compress = options_.compress};
  for (const TxPacket& packet : std::span(tx).first(result.filled)) {
    const Bytes bytes = Bytes(packet.room).first(packet.bytes);
    SentPacket sent{.to = packet.to, .bytes = to_vector(bytes), .messages = {}};
    Peeler peeler({}, workspace_);
    const Peeler::Result peeled = peeler.peel(bytes, policy, *cipher_, parts_);
    CHECK(!peeled.faulty);
    for (std::size_t i = 0; i < peeled.parts; ++i) sent.messages.push_back(to_vector(parts_[i]));
    packets_.push_back(std::move(sent));
  }
  for (const StreamOp& op : engine_->lanes()[lane].take_stream_ops()) ops_.push_back(op);
  engine_->events().drain(100'000, [&](const Event& event) {
    events_.push_back({.event = event,
                       .name = std::string(event.name),
                       .from = std::string(event.from),
                       .text = std::string(event.text),
                       .payload = to_vector(event.payload),
                       .filters = to_vector(event.filters)});
  });
  return result.mailed != 0 || result.filled != 0;
}

std::vector<ByteVector> LanedNode::take_messages(MessageType type) {
  std::vector<ByteVector> wanted;
  for (const SentPacket& packet : take_packets()) {
    for (const ByteVector& message : packet.messages) {
      if (message.front() == static_cast<std::byte>(type)) wanted.push_back(message);
    }
  }
  return wanted;
}

Stats LanedNode::stats() {
  std::vector<KeptEvent> before = take_events();
  command({.kind = Command::Kind::stats, .token = 77});
  std::vector<KeptEvent> after = take_events();
  events_ = std::move(before);
  for (const KeptEvent& kept : after) {
    if (kept.event.kind == Event::Kind::stats) return kept.event.stats;
  }
  CHECK(false && "no stats");
}

}  // namespace starling::test
