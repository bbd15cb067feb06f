#include "core/shard/apply_command.h"

#include <charconv>

#include "core/serf/event_limits.h"
#include "core/shard/apply_alive.h"
#include "core/shard/broadcast.h"
#include "core/shard/leave.h"
#include "core/shard/serf_turn.h"
#include "core/shard/stream_turn.h"

namespace starling {

namespace {

void join(Node& node, Instant now, const Command& command) {
  if (!node.alive_itself()) {
    return node.report.done(now, command.token, CommandResult::not_alive);
  }
  dial_push_pull(node, now, command.endpoint,
                 {.join = true,
                  .announce = command.announce,
                  .ignore_old = command.ignore_old,
                  .token = command.token});
}

void announce(Node& node, Instant now, const Command& command) {
  if (!node.alive_itself()) {
    return node.report.done(now, command.token, CommandResult::not_alive);
  }
  announce_join(node, now);
  node.report.done(now, command.token, CommandResult::ok);
}

void force_leave(Node& node, Instant now, const Command& command) {
  if (command.name.size() > node.options.capacity.name_bytes_max) {
    return node.report.done(now, command.token, CommandResult::too_large,
                            node.options.capacity.name_bytes_max, "node name is too long");
  }
  const LeaveIntent intent{
      .time = node.member_clock.time(), .node = command.name, .prune = command.prune};
  node.member_clock.increment();
  apply_leave_intent(node, now, intent);
  if (node.live_others == 0) return node.report.done(now, command.token, CommandResult::ok);
  const Ticket ticket = node.waiters.add(Waiters::Kind::force_leave, command.token);
  if (ticket == 0) {
    return node.report.done(now, command.token, CommandResult::no_capacity, 0,
                            "too many commands wait for their broadcast");
  }
  std::array<std::byte, 1536> room;
  Writer out(room);
  encode(intent, out);
  CHECK(out.ok());
  broadcast_serf(node, SerfQueue::intents, out.written(), ticket);
  arm_wait(node, now, ticket);
}

void set_meta(Node& node, Instant now, const Command& command) {
  if (command.payload.size() > meta_bytes_limit) {
    return node.report.done(now, command.token, CommandResult::too_large, meta_bytes_limit,
                            "Encoded length of tags exceeds limit of 512 bytes");
  }
  const Ticket ticket =
      node.live_others > 0 ? node.waiters.add(Waiters::Kind::set_meta, command.token) : 0;
  if (node.live_others > 0 && ticket == 0) {
    return node.report.done(now, command.token, CommandResult::no_capacity, 0,
                            "too many commands wait for their broadcast");
  }
  std::copy(command.payload.begin(), command.payload.end(), node.meta_room.begin());
  node.meta_bytes = command.payload.size();
  node.incarnation = Incarnation{to_number(node.incarnation) + 1};
  std::array<std::byte, 6> versions;
  // Armed first: if the broadcast cannot be queued, the ticket comes back at once.
  if (ticket != 0) arm_wait(node, now, ticket);
  apply_alive(node, now, own_alive(node, node.incarnation, versions),
              {.bootstrap = true, .ticket = ticket});
  if (ticket == 0) node.report.done(now, command.token, CommandResult::ok);
}

void user_event(Node& node, Instant now, const Command& command) {
  const LamportTime time = node.events.time();
  const std::size_t limit = node.options.serf.user_event_bytes_max;
  const auto problem = check_size(
      {.name_bytes = command.name.size(), .payload_bytes = command.payload.size(), .time = time},
      limit);
  if (problem) {
    const LimitText text = to_text(*problem, limit);
    std::array<char, 160> sentence;
    std::size_t at = 0;
    const auto append = [&](std::string_view part) {
      at += part.copy(sentence.data() + at, sentence.size() - at);
    };
    append(text.before);
    const auto number =
        std::to_chars(sentence.data() + at, sentence.data() + sentence.size(), text.limit);
    at = static_cast<std::size_t>(number.ptr - sentence.data());
    append(text.after);
    return node.report.done(now, command.token, CommandResult::too_large, text.limit,
                            std::string_view(sentence.data(), at));
  }
  const UserEvent event{
      .time = time, .name = command.name, .payload = command.payload, .coalesce = command.coalesce};
  Writer out(node.packet_scratch);
  encode(event, out);
  CHECK(out.ok());  // check_size has bounded it
  apply_user_event(node, now, event);
  broadcast_serf(node, SerfQueue::events, out.written());
  node.report.done(now, command.token, CommandResult::ok);
}

void stats(Node& node, Instant now, const Command& command) {
  Event event;
  event.kind = Event::Kind::stats;
  event.at = now;
  event.token = command.token;
  event.stats = stats_of(node);
  node.report.send(event);
}

}  // namespace

Stats stats_of(const Node& node) {
  const SerfMembers::Counts counts = node.serf.counts();
  Stats stats;
  stats.counters = node.counters;
  stats.members = counts.total;
  stats.members_alive = counts.alive;
  stats.members_failed = counts.failed;
  stats.members_left = counts.left;
  stats.nodes = node.nodes();
  stats.health_score = static_cast<std::uint32_t>(node.awareness.score());
  stats.member_time = to_number(node.member_clock.time());
  stats.event_time = to_number(node.events.time());
  stats.query_time = to_number(node.queries.time());
  stats.membership_queue = node.broadcasts.size();
  stats.intent_queue = node.intent_queue.size();
  stats.event_queue = node.event_queue.size();
  stats.query_queue = node.query_queue.size();
  stats.broadcasts_dropped = node.broadcasts.dropped() + node.intent_queue.dropped() +
                             node.event_queue.dropped() + node.query_queue.dropped();
  stats.incarnation = to_number(node.incarnation);
  stats.suspicions = node.suspicions.size();
  stats.streams = node.sessions.used();
  stats.encrypted = node.cipher.enabled();
  return stats;
}

void apply_command(Node& node, Instant now, const Command& command) {
  ++node.counters.commands;
  switch (command.kind) {
    case Command::Kind::join:
      return join(node, now, command);
    case Command::Kind::announce:
      return announce(node, now, command);
    case Command::Kind::leave:
      return begin_leave(node, now, command.token);
    case Command::Kind::force_leave:
      return force_leave(node, now, command);
    case Command::Kind::set_meta:
      return set_meta(node, now, command);
    case Command::Kind::user_event:
      return user_event(node, now, command);
    case Command::Kind::stats:
      return stats(node, now, command);
  }
}

}  // namespace starling
