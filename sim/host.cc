#include "sim/host.h"

#include <algorithm>

namespace starling::sim {

namespace {
constexpr std::size_t socket_datagrams_max = 256;  // what a kernel keeps for a process that sleeps
constexpr std::size_t burst_max = 32;
constexpr std::size_t events_drained_max = 1u << 20;
}  // namespace

Host::Host(NodeId id, std::size_t packet_room_bytes, HostOutlet& outlet)
    : id_(id),
      outlet_(outlet),
      rooms_(Lane::blanks_wanted, std::vector<std::byte>(packet_room_bytes)),
      blanks_(Lane::blanks_wanted) {
  received_.reserve(burst_max);
}

void Host::start(const EngineOptions& options, Instant now) {
  CHECK(!running());
  process_ = std::make_unique<Process>(options, now);
  paused_ = 0;
  dirty_ = true;
  lane_due_ = now;
}

void Host::stop() {
  process_.reset();
  inbox_.clear();
  paused_ = 0;
  dirty_ = false;
  lane_due_ = Instant::max();
}

bool Host::pause() {
  return running() && paused_++ == 0;
}

bool Host::resume() {
  if (!running() || paused_ == 0) return false;
  dirty_ = true;
  return --paused_ == 0;
}

bool Host::send(const Command& command) {
  if (!running() || !process_->engine().commands().send(command)) return false;
  dirty_ = true;
  return true;
}

void Host::put(Datagram&& datagram, Network& network) {
  if (!running() || inbox_.size() >= socket_datagrams_max) {
    network.recycle(std::move(datagram.bytes));
    return;
  }
  inbox_.push_back(std::move(datagram));
}

void Host::on_stream(Instant now, const StreamEvent& event) {
  if (!running()) return;
  Lane& lane = process_->engine().lane();
  lane.on_stream(now, event);
  outlet_.on_stream_ops(id_, lane.take_stream_ops());
  dirty_ = true;
}

Instant Host::next_due() const {
  if (!running() || paused()) return Instant::max();
  return dirty_ || !inbox_.empty() ? Instant::min() : lane_due_;
}

std::uint32_t Host::poll(Instant now, Random& random, Network& network, std::uint32_t polls_max) {
  std::uint32_t polls = 0;
  do {
    poll_once(now, random, network);
    ++polls;
  } while (polls <= polls_max && ready(now));
  return polls;
}

void Host::poll_once(Instant now, Random& random, Network& network) {
  Engine& engine = process_->engine();
  dirty_ = false;
  received_.clear();
  for (const Datagram& each : inbox_) {
    if (received_.size() == burst_max) break;
    received_.push_back({endpoint_of(each.from), each.bytes, each.order});
  }
  // Now and then a port has few blanks left.
  const bool scarce = random.chance(0.05);
  const std::size_t few = 1 + random.below(8);
  const std::size_t blanks = scarce ? few : blanks_.size();
  for (std::size_t i = 0; i < blanks; ++i) {
    blanks_[i] = {.to = {}, .room = rooms_[i], .bytes = 0, .cookie = i};
  }
  const PollResult turn = engine.lane().poll(now, received_, std::span(blanks_).first(blanks));
  CHECK(turn.taken <= received_.size() && turn.filled <= blanks);
  for (const TxPacket& packet : std::span(blanks_).first(turn.filled)) {
    CHECK(packet.bytes <= packet.room.size());
    outlet_.on_packet(id_, packet.to, Bytes(packet.room).first(packet.bytes));
  }
  outlet_.on_stream_ops(id_, engine.lane().take_stream_ops());
  for (std::uint32_t i = 0; i < turn.taken; ++i) {
    network.recycle(std::move(inbox_.front().bytes));
    inbox_.pop_front();
  }
  lane_due_ = turn.next_due;
  engine.events().drain(events_drained_max,
                        [&](const Event& event) { outlet_.on_event(id_, event); });
}

}  // namespace starling::sim
