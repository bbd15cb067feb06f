#include "sim/streams.h"

#include <algorithm>
#include <cerrno>

namespace starling::sim {

namespace {
constexpr std::size_t window_bytes = 64 * 1024;
constexpr std::size_t chunk_bytes_max = 1460;
constexpr Duration resend_after = std::chrono::milliseconds(200);
constexpr Duration connect_again_after = std::chrono::seconds(1);
constexpr std::uint8_t attempts_max = 7;  // doubling from 200 ms: about 25 s of silence

constexpr std::uint8_t other(std::uint8_t side) {
  return side == 0 ? 1 : 0;
}
}  // namespace

Streams::Streams(Links& links, Random random, Report& report)
    : links_(links),
      random_(random),
      report_(report),
      running_(links.nodes()),
      paused_(links.nodes()),
      held_(links.nodes()) {}

void Streams::schedule(Instant at, std::uint64_t connection, std::uint8_t side, What what,
                       int error_number, std::uint8_t attempts) {
  actions_.push_back({at, order_++, connection, side, what, attempts, error_number});
  std::push_heap(actions_.begin(), actions_.end(), [](const Action& a, const Action& b) {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  });
}

void Streams::submit(Instant now, NodeId node, std::span<const StreamOp> ops) {
  for (const StreamOp& op : ops) {
    if (op.kind == StreamOp::Kind::connect) {
      connect(now, node, op);
      continue;
    }
    const auto found = by_id_.find({node, op.stream});
    if (found == by_id_.end()) continue;  // it ended while the operation was being made
    const auto [number, side] = found->second;
    Side& self = connections_.at(number).sides[side];
    switch (op.kind) {
      case StreamOp::Kind::connect:
        break;
      case StreamOp::Kind::write:
        CHECK(!self.writing && !self.finishing);  // one write at a time per stream
        self.writing = true;
        self.rest = op.bytes;
        pump(now, number, side);
        break;
      case StreamOp::Kind::close:
        send_fin(now, number, side);
        release(self);
        erase_if_over(number);
        break;
      case StreamOp::Kind::finish:
        self.finishing = true;
        if (!self.writing) {
          send_fin(now, number, side);
          release(self);
          erase_if_over(number);
        }
        break;
    }
  }
}

void Streams::connect(Instant now, NodeId node, const StreamOp& op) {
  CHECK(!is_accepted(op.stream));
  CHECK(!by_id_.contains({node, op.stream}));  // an id is not used again while it is known
  const std::uint64_t number = connections_made_++;
  Connection& connection = connections_[number];
  connection.sides[0] = {.node = node, .id = op.stream, .live = true};
  by_id_[{node, op.stream}] = {number, 0};
  const std::optional<NodeId> target = node_at(op.to, links_.nodes());
  const Duration latency = links_.latency(node, target.value_or(node), random_);
  if (!target) {
    schedule(now + latency, number, 0, What::refused, EHOSTUNREACH);
    return;
  }
  connection.sides[1] = {.node = *target};
  schedule(now + latency, number, 1, What::syn);
}

// Cuts what the window allows into chunks of drawn sizes, each arriving after the one before.
void Streams::pump(Instant now, std::uint64_t number, std::uint8_t side) {
  Connection& connection = connections_.at(number);
  Side& self = connection.sides[side];
  const Side& peer = connection.sides[other(side)];
  while (!self.rest.empty() && self.flight_bytes < window_bytes) {
    const bool dribble = random_.chance(0.02);
    const std::size_t size =
        std::min<std::size_t>(self.rest.size(), random_.between(1, dribble ? 4 : chunk_bytes_max));
    Duration travel = latency(self, peer);
    if (random_.chance(conditions_.loss)) travel += resend_after;
    Instant arrival = std::max(now + travel, self.last_arrival);
    if (conditions_.bytes_per_s != 0) {
      report_.add(Count::streams_slowed);
      arrival += Duration(std::chrono::seconds(1)) * static_cast<Duration::rep>(size) /
                 static_cast<Duration::rep>(conditions_.bytes_per_s);
    }
    self.last_arrival = arrival;
    self.flight.emplace_back(self.rest.begin(),
                             self.rest.begin() + static_cast<std::ptrdiff_t>(size));
    self.flight_bytes += size;
    self.rest = self.rest.subspan(size);
    schedule(arrival, number, other(side), What::chunk);
  }
  if (self.writing && self.rest.empty()) {
    self.writing = false;
    schedule(now, number, side, What::written);
  }
}

void Streams::send_fin(Instant now, std::uint64_t number, std::uint8_t side) {
  Connection& connection = connections_.at(number);
  Side& self = connection.sides[side];
  if (self.fin_sent) return;
  self.fin_sent = true;
  const Side& peer = connection.sides[other(side)];
  self.last_arrival = std::max(now + latency(self, peer), self.last_arrival);
  schedule(self.last_arrival, number, other(side), What::fin);
}

void Streams::release(Side& side) {
  if (!side.live) return;
  side.live = false;
  side.writing = false;
  side.rest = {};
  by_id_.erase({side.node, side.id});
}

void Streams::erase_if_over(std::uint64_t number) {
  const auto found = connections_.find(number);
  if (found == connections_.end()) return;
  const auto& sides = found->second.sides;
  if (!sides[0].live && !sides[1].live) connections_.erase(found);
}

std::optional<StreamDelivery> Streams::pop_due(Instant now) {
  while (!actions_.empty() && actions_.front().at <= now) {
    std::pop_heap(actions_.begin(), actions_.end(), [](const Action& a, const Action& b) {
      return a.at != b.at ? a.at > b.at : a.order > b.order;
    });
    const Action action = actions_.back();
    actions_.pop_back();
    if (std::optional<StreamDelivery> delivery = apply(now, action)) return delivery;
  }
  return std::nullopt;
}

// A segment met a closed link: again later, with doubling patience; true while there is any left.
bool Streams::retry(Instant now, Action action) {
  if (action.attempts >= attempts_max) return false;
  report_.add(Count::streams_stalled);
  const Duration base = action.what == What::syn ? connect_again_after : resend_after;
  schedule(now + base * (1 << action.attempts), action.connection, action.side, action.what,
           action.error_number, static_cast<std::uint8_t>(action.attempts + 1));
  return true;
}

std::optional<StreamDelivery> Streams::apply(Instant now, const Action& action) {
  const auto found = connections_.find(action.connection);
  if (found == connections_.end()) return std::nullopt;
  Connection& connection = found->second;
  Side& self = connection.sides[action.side];
  Side& peer = connection.sides[other(action.side)];
  if (paused_[index_of(self.node)] && action.what != What::syn) {
    held_[index_of(self.node)].push_back(action);
    return std::nullopt;
  }
  const bool from_outside = action.what != What::written && action.what != What::broken &&
                            action.what != What::accepted && action.error_number != EHOSTUNREACH;
  if (from_outside && !links_.open(peer.node, self.node)) {
    if (retry(now, action)) return std::nullopt;
    // Nobody answered for too long: the sender's kernel gives up.
    if (peer.live) schedule(now, action.connection, other(action.side), What::broken, ETIMEDOUT);
    return std::nullopt;
  }
  const auto failed = [&](int error_number) -> std::optional<StreamDelivery> {
    if (!self.live) return std::nullopt;
    const StreamDelivery delivery{self.node,
                                  {.kind = StreamEvent::Kind::failed,
                                   .stream = self.id,
                                   .peer = endpoint_of(peer.node),
                                   .bytes = {},
                                   .error_number = error_number}};
    release(self);
    erase_if_over(action.connection);
    return delivery;
  };
  const auto plain = [&](StreamEvent::Kind kind) {
    return StreamDelivery{self.node, {kind, self.id, endpoint_of(peer.node), {}, 0}};
  };
  switch (action.what) {
    case What::syn:
      on_syn(now, action, connection);
      return std::nullopt;
    case What::accepted:
      if (!self.live) return std::nullopt;
      return plain(StreamEvent::Kind::accepted);
    case What::connected:
      if (!self.live) return std::nullopt;
      report_.add(Count::streams_opened);
      return plain(StreamEvent::Kind::connected);
    case What::refused:
      report_.add(Count::streams_refused);
      return failed(action.error_number);
    case What::reset:
    case What::broken:
      report_.add(Count::streams_reset);
      return failed(action.error_number);
    case What::chunk:
      return on_chunk(now, action, connection);
    case What::written: {
      if (!self.live) return std::nullopt;
      const StreamDelivery delivery = plain(StreamEvent::Kind::written);
      if (self.finishing) {
        send_fin(now, action.connection, action.side);
        release(self);
        erase_if_over(action.connection);
      }
      return delivery;
    }
    case What::fin: {
      if (!self.live) return std::nullopt;
      const StreamDelivery delivery = plain(StreamEvent::Kind::closed);
      send_fin(now, action.connection, action.side);
      release(self);
      erase_if_over(action.connection);
      return delivery;
    }
  }
  return std::nullopt;
}

// The kernel accepts, also for a process that is stopped.
void Streams::on_syn(Instant now, const Action& action, Connection& connection) {
  Side& dialler = connection.sides[0];
  Side& acceptor = connection.sides[1];
  const Instant back = now + latency(acceptor, dialler);
  if (!dialler.live) return;
  if (!running_[index_of(acceptor.node)]) {
    schedule(back, action.connection, 0, What::refused, ECONNREFUSED);
    return;
  }
  acceptor.id = StreamId{stream_accepted_bit | (accepted_made_++ & 0x7fff'ffffU)};
  acceptor.live = true;
  acceptor.last_arrival = back;
  by_id_[{acceptor.node, acceptor.id}] = {action.connection, 1};
  schedule(now, action.connection, 1, What::accepted);
  schedule(back, action.connection, 0, What::connected);
}

std::optional<StreamDelivery> Streams::on_chunk(Instant now, const Action& action,
                                                Connection& connection) {
  Side& self = connection.sides[action.side];
  Side& sender = connection.sides[other(action.side)];
  CHECK(!sender.flight.empty());
  delivered_ = std::move(sender.flight.front());
  sender.flight.pop_front();
  sender.flight_bytes -= delivered_.size();
  if (!self.live) {
    // Nobody is there to read: the kernel answers with a reset.
    if (sender.live) {
      schedule(now + latency(self, sender), action.connection, other(action.side), What::reset,
               ECONNRESET);
    }
    return std::nullopt;
  }
  if (sender.live) pump(now, action.connection, other(action.side));
  return StreamDelivery{
      self.node, {StreamEvent::Kind::readable, self.id, endpoint_of(sender.node), delivered_, 0}};
}

void Streams::set_running(Instant now, NodeId node, bool running) {
  running_[index_of(node)] = running;
  if (running) return;
  held_[index_of(node)].clear();
  paused_[index_of(node)] = false;
  std::vector<std::uint64_t> numbers;
  for (auto& [number, connection] : connections_) {
    for (const std::uint8_t side : {std::uint8_t{0}, std::uint8_t{1}}) {
      Side& self = connection.sides[side];
      if (self.node != node || !self.live) continue;
      const Side& peer = connection.sides[other(side)];
      const Duration travel = latency(self, peer);
      // A dark machine says nothing; its peers find out by their own deadlines.
      if (peer.live && !links_.dark(node)) {
        schedule(now + travel, number, other(side), What::reset, ECONNRESET);
      }
      release(self);
      numbers.push_back(number);
    }
  }
  for (const std::uint64_t number : numbers) erase_if_over(number);
}

void Streams::set_paused(Instant now, NodeId node, bool paused) {
  paused_[index_of(node)] = paused;
  if (paused) return;
  std::vector<Action> held = std::move(held_[index_of(node)]);
  held_[index_of(node)].clear();
  for (const Action& each : held) {
    schedule(now, each.connection, each.side, each.what, each.error_number, each.attempts);
  }
}

void Streams::on_partition(Instant now) {
  for (auto& [number, connection] : connections_) {
    const bool reset = random_.chance(0.5);
    const auto& sides = connection.sides;
    if (!reset || !sides[0].live || !sides[1].live) continue;
    if (!links_.parted(sides[0].node, sides[1].node)) continue;
    schedule(now, number, 0, What::broken, ECONNRESET);
    schedule(now, number, 1, What::broken, ECONNRESET);
  }
}

}  // namespace starling::sim
