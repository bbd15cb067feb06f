#include "agent/swarm/swarm_engine.h"

namespace starling::agent::swarm {
namespace {

// Tokens say what kind of order was answered.
enum class Token : std::uint64_t { none, join, host, abandon, leave, set_meta, stats };
constexpr std::uint64_t to_number(Token token) {
  return static_cast<std::uint64_t>(token);
}

// An engine waits for at most 64 broadcasts at a time; some stay free for its own leave.
constexpr unsigned broadcasts_max = 32;
// As many as the lane takes in one turn.
constexpr std::uint32_t hosts_per_turn = 64;
constexpr std::size_t events_per_turn = 8'192;
// Metadata without tags: a marker and an empty map.
constexpr std::string_view no_tags = "\xff\x80";

struct ToLane final : io::StreamPort::Sink {
  ToLane(Lane& to, Instant at) : lane(&to), now(at) {}
  void on_event(const StreamEvent& event) override { lane->on_stream(now, event); }
  Lane* lane;
  Instant now;
};

}  // namespace

std::expected<std::unique_ptr<SwarmEngine>, std::string> SwarmEngine::create(
    const EngineOptions& options, std::unique_ptr<io::Ports> ports, const Population& population,
    std::uint32_t index, Instant start) {
  std::unique_ptr<SwarmEngine> made(new SwarmEngine(population, index));
  auto memory = io::MappedMemory::map({.bytes = Engine::footprint(options)});
  if (!memory) return std::unexpected(memory.error());
  made->memory_ = std::move(*memory);
  made->ports_ = std::move(ports);
  auto engine = Engine::create(options, made->memory_.bytes(), start);
  if (!engine) return std::unexpected(engine.error());
  made->engine_ = std::make_unique<Engine>(std::move(*engine));
  made->next_to_host_ = population.first_of(index) + 1;
  made->stats_due_ = start;
  return made;
}

void SwarmEngine::order(Order order) {
  const std::lock_guard lock(mutex_);
  ordered_.push_back(std::move(order));
}

Snapshot SwarmEngine::snapshot() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

SwarmEngine::Turn SwarmEngine::turn(Instant now) {
  if (engine_ == nullptr) return {.next_due = Instant::max()};
  take_orders(now);
  if (engine_ == nullptr) return {.next_due = Instant::max()};
  const bool populating = populate();
  if (stats_due_ <= now) {
    const Command ask{.kind = Command::Kind::stats, .token = to_number(Token::stats)};
    if (engine_->commands().send(ask)) stats_due_ = now + snapshot_interval;
  }

  io::DatagramPort& datagrams = ports_->datagrams();
  Lane& lane = engine_->lane();
  held_ += datagrams.receive(std::span(rx_).subspan(held_));
  lent_ += datagrams.borrow(std::span(tx_).subspan(lent_));
  ToLane sink(lane, now);
  const std::size_t delivered = ports_->streams().deliver(sink);
  const PollResult result =
      lane.poll(now, std::span(rx_).first(held_), std::span(tx_).first(lent_));
  const std::span<const StreamOp> ops = lane.take_stream_ops();
  if (!ops.empty()) ports_->streams().submit(ops);
  if (result.filled > 0) datagrams.send(std::span(tx_).first(result.filled));
  if (result.taken > 0) datagrams.release(std::span(rx_).first(result.taken));
  drain_events();

  const bool more = held_ == rx_.size() && result.taken > 0;
  std::shift_left(tx_.begin(), tx_.begin() + static_cast<std::ptrdiff_t>(lent_),
                  static_cast<std::ptrdiff_t>(result.filled));
  lent_ -= result.filled;
  std::shift_left(rx_.begin(), rx_.begin() + static_cast<std::ptrdiff_t>(held_),
                  static_cast<std::ptrdiff_t>(result.taken));
  held_ -= result.taken;
  return {.busy = populating || more || delivered + ops.size() > 0 || result.next_due <= now,
          .next_due = result.next_due};
}

void SwarmEngine::take_orders(Instant now) {
  {
    const std::lock_guard lock(mutex_);
    for (Order& order : ordered_) waiting_.push_back(std::move(order));
    ordered_.clear();
  }
  while (!waiting_.empty() && carry_out(now, waiting_.front())) {
    if (engine_ == nullptr) return waiting_.clear();
    waiting_.pop_front();
  }
}

// False: not now, the rest of the orders waits, too.
bool SwarmEngine::carry_out(Instant now, Order& order) {
  if (order.kind == Order::Kind::watch) {
    observer_.watch(std::move(order.watch));
    return true;
  }
  if (order.kind == Order::Kind::end) {
    end(now);
    return true;
  }
  const MemberName name(order.member);
  Command command{.name = name.text(), .payload = as_bytes(order.meta)};
  Token token = Token::none;
  bool happens = false;
  bool broadcast = false;
  switch (order.kind) {
    case Order::Kind::join:
      command = {.kind = Command::Kind::join, .endpoint = order.to};
      token = Token::join;
      break;
    case Order::Kind::host:
      command.kind = Command::Kind::host;
      command.endpoint = engine_endpoint(index_);
      token = Token::host;
      break;
    case Order::Kind::abandon:
      command.kind = Command::Kind::abandon;
      token = Token::abandon;
      happens = true;
      break;
    case Order::Kind::leave:
      command.kind = Command::Kind::unhost;
      token = Token::leave;
      happens = broadcast = true;
      break;
    case Order::Kind::set_meta:
      command.kind = Command::Kind::set_meta;
      token = Token::set_meta;
      happens = broadcast = true;
      break;
    case Order::Kind::watch:
    case Order::Kind::end:
      return true;
  }
  if (broadcast && broadcasts_waited_for_ == broadcasts_max) return false;
  command.token = to_number(token);
  if (!engine_->commands().send(command)) return false;
  if (broadcast) ++broadcasts_waited_for_;
  // The lane takes the command in this same turn.
  if (happens && observer_.watch() != nullptr) observer_.watch()->happened(order.member, now);
  return true;
}

bool SwarmEngine::populate() {
  const std::uint32_t end = population_->first_of(index_ + 1);
  for (std::uint32_t sent = 0; next_to_host_ < end && sent < hosts_per_turn; ++sent) {
    const MemberName name(next_to_host_);
    if (!engine_->commands().send({.kind = Command::Kind::host,
                                   .token = to_number(Token::host),
                                   .endpoint = engine_endpoint(index_),
                                   .name = name.text(),
                                   .payload = as_bytes(no_tags)})) {
      break;
    }
    ++next_to_host_;
  }
  return next_to_host_ < end;
}

void SwarmEngine::drain_events() {
  engine_->events().drain(events_per_turn, [&](const Event& event) {
    if (event.kind == Event::Kind::done) {
      on_done(event);
    } else if (event.kind == Event::Kind::stats) {
      publish(event);
    } else {
      observer_.on_event(event);
    }
  });
}

void SwarmEngine::on_done(const Event& event) {
  const auto token = static_cast<Token>(event.token);
  const bool well = event.result == CommandResult::ok;
  if (token == Token::leave || token == Token::set_meta) --broadcasts_waited_for_;
  if (token == Token::join) ++(well ? draft_.joins_done : draft_.joins_failed);
  // A broadcast that takes its time is no refusal.
  if (well || event.result == CommandResult::broadcast_timeout) return;
  if (token != Token::join) ++draft_.orders_refused;
  draft_.last_problem = std::string(to_text(event.result));
  if (!event.text.empty()) draft_.last_problem += ": " + std::string(event.text);
}

void SwarmEngine::publish(const Event& stats) {
  draft_.at = stats.at;
  draft_.stats = stats.stats;
  draft_.sightings = observer_.sightings();
  const std::uint32_t share = population_->first_of(index_ + 1) - population_->first_of(index_);
  draft_.populated = draft_.populated || stats.stats.hosted == share;
  const std::lock_guard lock(mutex_);
  published_ = draft_;
}

void SwarmEngine::end(Instant now) {
  if (observer_.watch() != nullptr) {
    for (std::uint32_t member = population_->first_of(index_);
         member < population_->first_of(index_ + 1); ++member) {
      observer_.watch()->happened(member, now);
    }
  }
  engine_.reset();
  ports_.reset();
  memory_ = io::MappedMemory();
  draft_.ended = true;
  const std::lock_guard lock(mutex_);
  published_ = draft_;
  published_.at = now;
}

}  // namespace starling::agent::swarm
