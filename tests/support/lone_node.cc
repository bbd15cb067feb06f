#include "tests/support/lone_node.h"

#include <cstdio>

#include "wire/envelope.h"

namespace starling::test {

namespace {

constexpr std::size_t blanks = 512;

MutableBytes block_bytes(ArenaBlock& block, std::size_t bytes) {
  return block.arena().bytes(bytes);
}

}  // namespace

EngineOptions LoneNode::options_named(std::string name) {
  EngineOptions options;
  options.name = std::move(name);
  options.advertise = {IpAddress::v4(127, 0, 0, 1), 7946};
  options.versions = Versions{};
  options.seed = 1;
  options.compress = false;
  options.capacity.members_max = 64;
  options.capacity.streams_max = 8;
  options.capacity.relays_max = 16;
  options.capacity.stream_frame_bytes_max = 1 << 20;
  return options;
}

LoneNode::LoneNode(EngineOptions options)
    : options_(std::move(options)),
      memory_(std::make_unique<ArenaBlock>(Engine::footprint(options_) + 4096)),
      now_(std::chrono::seconds(1000)),
      rooms_(blanks * options_.packet_room_bytes()),
      workspace_(Peeler::workspace_bytes({})),
      parts_(4096),
      policy_{.label = {.label = options_.label, .skip_inbound_check = false},
              .compress = options_.compress},
      cipher_(options_.keyring) {
  auto engine = Engine::create(options_, block_bytes(*memory_, Engine::footprint(options_)), now_);
  if (!engine) std::fputs((engine.error() + "\n").c_str(), stderr);
  CHECK(engine.has_value());
  engine_.emplace(std::move(*engine));
  next_due_ = now_;
}

void LoneNode::receive(Bytes datagram, std::optional<Endpoint> from) {
  const Endpoint sender = from.value_or(Endpoint{IpAddress::v4(127, 0, 0, 9), 7946});
  const RxPacket packet{.from = sender, .bytes = datagram, .cookie = 0};
  poll(std::span(&packet, 1));
}

void LoneNode::receive_burst(Bytes datagram, std::size_t count, Duration later) {
  now_ += later;
  const Endpoint sender{IpAddress::v4(127, 0, 0, 9), 7946};
  poll(std::vector<RxPacket>(count, {.from = sender, .bytes = datagram, .cookie = 0}));
}

void LoneNode::advance(Duration duration) {
  const Instant end = now_ + duration;
  while (next_due_ <= end) {
    now_ = std::max(now_, next_due_);
    poll({});
    // Never stand still: the wheel's tick is a millisecond.
    next_due_ = std::max(next_due_, now_ + std::chrono::microseconds(1));
  }
  now_ = end;
  poll({});
}

void LoneNode::command(const Command& command) {
  CHECK(engine_->commands().send(command));
  poll({});
}

void LoneNode::stream_event(const StreamEvent& event) {
  engine_->lane().on_stream(now_, event);
  poll({});
}

void LoneNode::poll(std::span<const RxPacket> rx) {
  std::vector<TxPacket> tx(blanks);
  for (std::size_t i = 0; i < tx.size(); ++i) {
    tx[i].room = MutableBytes(rooms_).subspan(i * options_.packet_room_bytes(),
                                              options_.packet_room_bytes());
  }
  const PollResult result = engine_->lane().poll(now_, rx, tx);
  collect(result, tx);
}

void LoneNode::collect(const PollResult& result, std::span<TxPacket> tx) {
  next_due_ = result.next_due;
  for (const TxPacket& packet : tx.first(result.filled)) {
    const Bytes bytes = Bytes(packet.room).first(packet.bytes);
    SentPacket sent{.to = packet.to, .bytes = to_vector(bytes), .messages = {}};
    Peeler peeler({}, workspace_);
    const Peeler::Result peeled = peeler.peel(bytes, policy_, cipher_, parts_);
    CHECK(!peeled.faulty);
    for (std::size_t i = 0; i < peeled.parts; ++i) sent.messages.push_back(to_vector(parts_[i]));
    packets_.push_back(std::move(sent));
  }
  for (const StreamOp& op : engine_->lane().take_stream_ops()) ops_.push_back(op);
  engine_->events().drain(100'000, [&](const Event& event) {
    KeptEvent kept{.event = event,
                   .name = std::string(event.name),
                   .from = std::string(event.from),
                   .text = std::string(event.text),
                   .payload = to_vector(event.payload),
                   .filters = to_vector(event.filters)};
    events_.push_back(std::move(kept));
  });
}

std::vector<SentPacket> LoneNode::take_packets() {
  return std::exchange(packets_, {});
}

std::vector<ByteVector> LoneNode::take_messages(MessageType type) {
  std::vector<ByteVector> wanted;
  for (const SentPacket& packet : take_packets()) {
    for (const ByteVector& message : packet.messages) {
      if (message.front() == static_cast<std::byte>(type)) wanted.push_back(message);
    }
  }
  return wanted;
}

std::vector<StreamOp> LoneNode::take_stream_ops() {
  return std::exchange(ops_, {});
}

std::vector<KeptEvent> LoneNode::take_events() {
  return std::exchange(events_, {});
}

Stats LoneNode::stats() {
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
