#include "sim/host.h"

#include <algorithm>
#include <array>

#include "core/shard/node_view.h"

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
  seats_ = std::vector<Seat>(options.lanes);
  for (Seat& seat : seats_) {
    seat.dirty = true;
    seat.due = now;
  }
}

void Host::stop() {
  process_.reset();
  seats_.clear();
  paused_ = 0;
}

bool Host::pause() {
  return running() && paused_++ == 0;
}

bool Host::resume() {
  if (!running() || paused_ == 0) return false;
  for (Seat& seat : seats_) seat.dirty = true;
  return --paused_ == 0;
}

bool Host::send(const Command& command) {
  if (!running() || !process_->engine().commands().send(command)) return false;
  seats_.front().dirty = true;
  return true;
}

Host::Seat& Host::seat_for(const Datagram& datagram) {
  // Any function of the sender that spreads neighbours.
  const std::size_t mixed = (index_of(datagram.from) + 1) * 0x9e37'79b9u >> 7;
  return seats_[mixed % seats_.size()];
}

void Host::put(Datagram&& datagram, Network& network) {
  if (!running() || seat_for(datagram).inbox.size() >= socket_datagrams_max) {
    network.recycle(std::move(datagram.bytes));
    return;
  }
  seat_for(datagram).inbox.push_back(std::move(datagram));
}

void Host::on_stream(Instant now, const StreamEvent& event) {
  if (!running()) return;
  Lane& lane = process_->engine().lane();
  lane.on_stream(now, event);
  outlet_.on_stream_ops(id_, lane.take_stream_ops());
  seats_.front().dirty = true;
}

Instant Host::next_due() const {
  if (!running() || paused()) return Instant::max();
  Instant due = Instant::max();
  for (std::size_t lane = 0; lane < seats_.size(); ++lane) {
    if (lane_ready(lane, Instant::min())) return Instant::min();
    due = std::min(due, seats_[lane].due);
  }
  return due;
}

bool Host::lane_ready(std::size_t lane, Instant now) const {
  const Seat& seat = seats_[lane];
  return seat.dirty || !seat.inbox.empty() || seat.due <= now ||
         process_->engine().lanes()[lane].has_mail();
}

std::uint32_t Host::poll(Instant now, Random& random, Network& network, std::uint32_t polls_max) {
  std::uint32_t polls = 0;
  do {
    poll_once(now, random, network);
    ++polls;
  } while (polls <= polls_max && ready(now));
  return polls;
}

// Every lane that has something to do turns once, in an order drawn from the seed.
void Host::poll_once(Instant now, Random& random, Network& network) {
  std::array<std::size_t, lanes_max> order;
  std::size_t count = 0;
  for (std::size_t lane = 0; lane < seats_.size(); ++lane) {
    if (lane_ready(lane, now)) order[count++] = lane;
  }
  if (count > 1) random.shuffle(std::span(order).first(count));
  for (const std::size_t lane : std::span(order).first(count)) {
    poll_lane(lane, now, random, network);
  }
}

void Host::poll_lane(std::size_t number, Instant now, Random& random, Network& network) {
  Engine& engine = process_->engine();
  Lane& lane = engine.lanes()[number];
  Seat& seat = seats_[number];
  seat.dirty = false;
  received_.clear();
  for (const Datagram& each : seat.inbox) {
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
  const PollResult turn = lane.poll(now, received_, std::span(blanks_).first(blanks));
  CHECK(turn.taken <= received_.size() && turn.filled <= blanks);
  for (const TxPacket& packet : std::span(blanks_).first(turn.filled)) {
    CHECK(packet.bytes <= packet.room.size());
    outlet_.on_packet(id_, packet.to, Bytes(packet.room).first(packet.bytes));
  }
  outlet_.on_stream_ops(id_, lane.take_stream_ops());
  for (std::uint32_t i = 0; i < turn.taken; ++i) {
    network.recycle(std::move(seat.inbox.front().bytes));
    seat.inbox.pop_front();
  }
  seat.due = turn.next_due;
  engine.events().drain(events_drained_max,
                        [&](const Event& event) { outlet_.on_event(id_, event); });
}

}  // namespace starling::sim
