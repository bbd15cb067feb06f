#include "sim/world.h"

#include <algorithm>

#include "wire/serf_messages.h"

namespace starling::sim {

namespace {

constexpr std::uint32_t polls_max = 1000;  // at one instant; more means that a lane never rests

// Engines see large instants, lest something takes the clock's zero for "never".
Instant draw_start(std::uint64_t seed) {
  return Instant{std::chrono::hours(1) + std::chrono::milliseconds(seed % 1000)};
}

CapacityOptions small_capacity(std::size_t nodes) {
  CapacityOptions capacity;
  capacity.members_max = static_cast<std::uint32_t>(std::max<std::size_t>(2 * nodes, 64));
  capacity.streams_max = 32;
  capacity.relays_max = 256;
  capacity.event_slab_bytes = 1u << 20;
  capacity.queue_slab_bytes = 1u << 20;
  capacity.event_ring_bytes = 1u << 20;
  capacity.command_ring_bytes = 1u << 16;
  capacity.stream_compress_bytes_max = 1u << 17;
  return capacity;
}

Command command_of(Command::Kind kind) {
  Command command;
  command.kind = kind;
  return command;
}

}  // namespace

World::World(const WorldOptions& options, TraceSink sink)
    : options_(options),
      start_(draw_start(options.seed)),
      now_(start_),
      polling_(Random(options.seed).fork("polling")),
      joining_(Random(options.seed).fork("joining")),
      links_(options.nodes, options.latency, Random(options.seed).fork("floors").next()),
      network_(links_, Random(options.seed).fork("network"), options.encrypted, report_),
      streams_(links_, Random(options.seed).fork("streams"), report_),
      lives_(options.nodes),
      checkers_(engine_options(NodeId{0}), options.nodes, report_),
      trace_(start_, std::move(sink), engine_options(NodeId{0})) {
  CHECK(options.nodes >= 1 && options.nodes <= nodes_max);
  const std::size_t room = engine_options(NodeId{0}).packet_room_bytes();
  for (const NodeId node : all_nodes()) {
    hosts_.push_back(std::make_unique<Host>(node, room, static_cast<HostOutlet&>(*this)));
  }
}

std::vector<NodeId> World::all_nodes() const {
  std::vector<NodeId> all;
  for (std::size_t i = 0; i < options_.nodes; ++i) {
    all.push_back(NodeId{static_cast<std::uint16_t>(i)});
  }
  return all;
}

EngineOptions World::engine_options(NodeId node) const {
  EngineOptions options;
  options.name = name_of(node);
  options.advertise = endpoint_of(node);
  options.meta = meta_of(node);
  options.seed = Random(options_.seed).fork("engine", index_of(node) * 65536 + life(node)).next();
  if (options_.encrypted) {
    Random key = Random(options_.seed).fork("key");
    std::array<std::byte, 16> octets;
    for (std::byte& octet : octets) octet = static_cast<std::byte>(key.next() & 0xff);
    CHECK(options.keyring.add(*AesKey::from(octets)).has_value());
  }
  if (options_.remember_incarnations) {
    options.earlier_incarnation = Incarnation{lives_[index_of(node)].incarnation};
  }
  options.label = options_.label;
  options.compress = options_.compress;
  options.lanes = options_.lanes;
  options.swim = options_.swim;
  options.serf = options_.serf;
  options.capacity = small_capacity(options_.nodes);
  options.envelope_limits = {.inflated_bytes_max = 1u << 18, .nesting_max = 8, .parts_max = 1024};
  return options;
}

// Tags {"role": "sim", "v": version}, so that every change is a different metadata.
std::string World::meta_of(NodeId node) const {
  const Life& of = lives_[index_of(node)];
  const std::string version = std::to_string(of.number) + "." + std::to_string(of.meta_version);
  std::array<std::byte, meta_bytes_max> room;
  Writer out(room);
  const std::array<Tag, 2> tags{Tag{"role", "sim"}, Tag{"v", version}};
  encode_meta(tags, out);
  CHECK(out.ok());
  return std::string(as_text(out.written()));
}

void World::start(NodeId node) {
  if (running(node)) return;
  links_.set_dark(node, false);
  Life& of = lives_[index_of(node)];
  of = {.number = of.number + 1, .incarnation = of.incarnation};
  if (of.number > 1) report_.add(Count::restarts);
  checkers_.on_start(node, meta_of(node));
  trace_.note(now_, "start " + name_of(node) + " life " + std::to_string(of.number));
  hosts_[index_of(node)]->start(engine_options(node), now_);
  streams_.set_running(now_, node, true);

  const std::uint32_t number = of.number;
  const Duration first = joining_.between(Duration::zero(), std::chrono::milliseconds(200));
  at_instant(now_ + first, [this, node, number] { try_join(node, number); });
  if (options_.stats_interval > Duration::zero()) {
    at_instant(now_ + options_.stats_interval, [this, node, number] { ask_stats(node, number); });
  }
}

void World::stop(NodeId node, bool dark) {
  if (!running(node)) return;
  trace_.note(now_, (dark ? "power loss " : "crash ") + name_of(node));
  links_.set_dark(node, dark);
  streams_.set_running(now_, node, false);
  hosts_[index_of(node)]->stop();
}

void World::pause(NodeId node) {
  if (!hosts_[index_of(node)]->pause()) return;
  trace_.note(now_, "pause " + name_of(node));
  streams_.set_paused(now_, node, true);
}

void World::resume(NodeId node) {
  if (!hosts_[index_of(node)]->resume()) return;
  trace_.note(now_, "resume " + name_of(node));
  checkers_.swim().on_late(now_, node);
  streams_.set_paused(now_, node, false);
}

bool World::command(NodeId node, Command command) {
  command.token = ++tokens_;
  if (!hosts_[index_of(node)]->send(command)) return false;
  checkers_.owner().on_command(node, command.token);
  return true;
}

bool World::leave(NodeId node) {
  if (!command(node, command_of(Command::Kind::leave))) return false;
  trace_.note(now_, "leave " + name_of(node));
  checkers_.on_leave(node);
  lives_[index_of(node)].leaving = true;
  report_.add(Count::leaves);
  return true;
}

bool World::force_leave(NodeId node, NodeId other) {
  const std::string name = name_of(other);
  Command forced = command_of(Command::Kind::force_leave);
  forced.name = name;
  if (!command(node, forced)) return false;
  trace_.note(now_, "force leave " + name_of(node) + ">" + name);
  report_.add(Count::forced_leaves);
  return true;
}

bool World::set_meta(NodeId node) {
  if (!running(node)) return false;
  ++lives_[index_of(node)].meta_version;
  const std::string meta = meta_of(node);
  Command change = command_of(Command::Kind::set_meta);
  change.payload = as_bytes(meta);
  if (!command(node, change)) return false;
  trace_.note(now_, "set meta " + name_of(node));
  checkers_.serf().on_meta(node, meta);
  return true;
}

bool World::send_user_event(NodeId node, std::string_view name, std::string_view payload) {
  Command user_event = command_of(Command::Kind::user_event);
  user_event.name = name;
  user_event.payload = as_bytes(payload);
  if (!command(node, user_event)) return false;
  trace_.note(now_, "user event " + name_of(node) + " " + std::string(name));
  checkers_.serf().on_user_event_sent(name, payload);
  return true;
}

void World::try_join(NodeId node, std::uint32_t life) {
  Life& of = lives_[index_of(node)];
  if (!running(node) || of.number != life || of.joined || of.leaving) return;
  // The first contact of a node is drawn; later attempts go round.
  const std::size_t contacts = std::min(options_.contacts, options_.nodes);
  if (of.join_attempts == 0) of.join_attempts = joining_.below(contacts);
  NodeId contact{static_cast<std::uint16_t>(of.join_attempts++ % contacts)};
  if (contact == node) contact = NodeId{static_cast<std::uint16_t>(of.join_attempts++ % contacts)};
  if (contact == node) return;  // alone in the world
  const std::string name = name_of(contact);
  Command join = command_of(Command::Kind::join);
  join.endpoint = endpoint_of(contact);
  join.name = name;
  join.announce = true;
  if (command(node, join)) {
    of.join_token = tokens_;
    of.join_contact = contact;
  } else {
    on_join_done(node, CommandResult::no_capacity);
  }
}

void World::on_join_done(NodeId node, CommandResult result) {
  Life& of = lives_[index_of(node)];
  // A contact that is leaving still answers, but nobody it knew will hear of the newcomer: whoever
  // starts agents points them at somebody else then.
  const bool contact_stays = running(of.join_contact) && !lives_[index_of(of.join_contact)].leaving;
  of.joined = result == CommandResult::ok && contact_stays;
  if (of.joined) return;
  at_instant(now_ + options_.join_again_after,
             [this, node, life = of.number] { try_join(node, life); });
}

// Everybody it knew has left, perhaps before they could tell others of it: nobody will come, and it
// does not reconnect to those who left on purpose. Whoever starts agents lets them join again.
void World::on_members_changed(NodeId node) {
  Life& of = lives_[index_of(node)];
  const SerfChecker& serf = checkers_.serf();
  if (!of.joined || of.leaving || serf.rows(node, MemberStatus::alive) > 1 ||
      serf.rows(node, MemberStatus::leaving) > 0 || serf.rows(node, MemberStatus::failed) > 0) {
    return;
  }
  of.joined = false;
  at_instant(now_ + options_.join_again_after,
             [this, node, life = of.number] { try_join(node, life); });
}

void World::ask_stats(NodeId node, std::uint32_t life) {
  if (!running(node) || lives_[index_of(node)].number != life) return;
  command(node, command_of(Command::Kind::stats));
  at_instant(now_ + options_.stats_interval, [this, node, life] { ask_stats(node, life); });
}

void World::on_packet(NodeId from, const Endpoint& to, Bytes bytes) {
  checkers_.owner().on_packet(now_, from, bytes.size());
  trace_.sent(now_, from, to, bytes, network_.send(now_, from, to, bytes));
}

void World::on_stream_ops(NodeId from, std::span<const StreamOp> ops) {
  streams_.submit(now_, from, ops);
}

void World::on_event(NodeId from, const Event& event) {
  const std::size_t before = checkers_.violations().count();
  trace_.event(now_, from, event);
  checkers_.on_event(now_, from, event);
  if (event.kind == Event::Kind::member || event.kind == Event::Kind::trace) ++views_changed_;
  if (event.kind == Event::Kind::done && event.token == lives_[index_of(from)].join_token) {
    on_join_done(from, event.result);
  }
  if (event.kind == Event::Kind::member) on_members_changed(from);
  if (event.kind == Event::Kind::stats) {
    std::uint32_t& incarnation = lives_[index_of(from)].incarnation;
    incarnation = std::max(incarnation, event.stats.incarnation_max);
  }
  if (hook_) hook_(now_, from, event);
  const std::vector<Violation>& kept = checkers_.violations().kept();
  for (std::size_t i = before; i < kept.size(); ++i) {
    trace_.note(now_, "VIOLATION " + std::string(to_text(kept[i].rule)) + " at " +
                          name_of(kept[i].observer) + ": " + kept[i].text);
  }
}

void World::at_instant(Instant when, std::function<void()> action) {
  agenda_.push_back({when, order_++, std::move(action)});
  std::push_heap(agenda_.begin(), agenda_.end(), later);
}

Instant World::next_due() const {
  Instant due = std::min(network_.next_due(), streams_.next_due());
  if (!agenda_.empty()) due = std::min(due, agenda_.front().at);
  for (const auto& host : hosts_) due = std::min(due, host->next_due());
  return due;
}

bool World::run_until(Instant end, const std::function<bool()>& done) {
  while (true) {
    if (done && done()) return true;
    const Instant due = next_due();
    if (due > end) break;
    now_ = std::max(now_, due);
    step();
  }
  now_ = std::max(now_, end);
  return false;
}

void World::step() {
  keep_appointments();
  deliver();
  poll_ready();
}

void World::keep_appointments() {
  while (!agenda_.empty() && agenda_.front().at <= now_) {
    std::pop_heap(agenda_.begin(), agenda_.end(), later);
    const std::function<void()> action = std::move(agenda_.back().action);
    agenda_.pop_back();
    action();
  }
}

void World::deliver() {
  while (std::optional<Datagram> datagram = network_.pop_due(now_)) {
    trace_.delivered(*datagram);
    hosts_[index_of(datagram->to)]->put(std::move(*datagram), network_);
  }
  while (const std::optional<StreamDelivery> delivery = streams_.pop_due(now_)) {
    trace_.stream(now_, delivery->node, delivery->event);
    hosts_[index_of(delivery->node)]->on_stream(now_, delivery->event);
  }
}

void World::poll_ready() {
  ready_.clear();
  for (const NodeId node : all_nodes()) {
    if (hosts_[index_of(node)]->ready(now_)) ready_.push_back(node);
  }
  polling_.shuffle(std::span(ready_));
  for (const NodeId node : ready_) {
    const std::uint32_t polls = hosts_[index_of(node)]->poll(now_, polling_, network_, polls_max);
    checkers_.owner().on_polls(now_, node, polls);
    // A lane that never rests would keep the clock from moving for ever.
    if (polls > polls_max) stop(node, false);
  }
}

}  // namespace starling::sim
