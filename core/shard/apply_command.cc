#include "core/shard/apply_command.h"

#include <charconv>
#include <cstring>
#include <utility>

#include "core/serf/event_limits.h"
#include "core/shard/apply_alive.h"
#include "core/shard/broadcast.h"
#include "core/shard/coordinates.h"
#include "core/shard/explain.h"
#include "core/shard/hosting.h"
#include "core/shard/leave.h"
#include "core/shard/query_turn.h"
#include "core/shard/rekey.h"
#include "core/shard/route.h"
#include "core/shard/serf_turn.h"
#include "core/shard/stream_turn.h"
#include "core/shard/sync_turn.h"

namespace starling {

namespace {

void join(Node& node, Instant now, const Command& command) {
  if (!node.any_alive_itself()) {
    return node.report.done(now, command.token, CommandResult::not_alive);
  }
  dial_join(node, now, command.endpoint,
            {.join = true,
             .announce = command.announce,
             .ignore_old = command.ignore_old,
             .token = command.token});
}

void announce(Node& node, Instant now, const Command& command) {
  if (!node.any_alive_itself()) {
    return node.report.done(now, command.token, CommandResult::not_alive);
  }
  announce_joins(node, now);
  node.report.done(now, command.token, CommandResult::ok);
}

void force_leave(Node& node, Instant now, const Command& command) {
  if (command.name.size() > node.options.capacity.name_bytes_max) {
    return node.report.done(now, command.token, CommandResult::too_large,
                            node.options.capacity.name_bytes_max, "node name is too long");
  }
  const LeaveIntent intent{
      .time = node.member_time(), .node = command.name, .prune = command.prune};
  node.member_clock.increment();
  apply_leave_intent(node, now, intent);
  if (!node.anybody_else()) return node.report.done(now, command.token, CommandResult::ok);
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

// Whom a command with a name is about; without a name the engine's first member.
Hosted* hosted_for(Node& node, std::string_view name) {
  if (!name.empty()) return node.hosted.find(name);
  return node.hosted.end() > 0 && node.hosted.at(0).used ? &node.hosted.at(0)
                                                         : node.hosted.speaker();
}

void set_meta(Node& node, Instant now, const Command& command) {
  Hosted* const member = hosted_for(node, command.name);
  if (member == nullptr) return node.report.done(now, command.token, CommandResult::not_hosted);
  if (command.payload.size() > meta_bytes_limit) {
    return node.report.done(now, command.token, CommandResult::too_large, meta_bytes_limit,
                            "Encoded length of tags exceeds limit of 512 bytes");
  }
  const bool wait = node.anybody_else();
  const Ticket ticket = wait ? node.waiters.add(Waiters::Kind::set_meta, command.token) : 0;
  if (wait && ticket == 0) {
    return node.report.done(now, command.token, CommandResult::no_capacity, 0,
                            "too many commands wait for their broadcast");
  }
  member->incarnation = Incarnation{to_number(member->incarnation) + 1};
  std::array<std::byte, 6> versions;
  Alive alive = own_alive(node, *member, versions);
  alive.meta = command.payload;
  // Armed first: if the broadcast cannot be queued, the ticket comes back at once.
  if (ticket != 0) arm_wait(node, now, ticket);
  apply_alive(node, now, alive, {.bootstrap = member, .ticket = ticket});
  if (ticket == 0) node.report.done(now, command.token, CommandResult::ok);
}

void take_in(Node& node, Instant now, const Command& command) {
  const HostedView member{command.name, command.endpoint, command.payload};
  const std::string_view wrong = problem_with(member, node.options.capacity);
  if (!wrong.empty()) {
    return node.report.done(now, command.token, CommandResult::too_large, 0, wrong);
  }
  const HostProblem problem = host(node, now, member);
  Hosted* const hosted = problem == HostProblem::none ? node.hosted.find(command.name) : nullptr;
  if (hosted == nullptr || node.alone()) return answer_host(node, now, command.token, problem);
  hosted->generation = ++node.hosted_generation;
  const ShardId home = node.home(*hosted);
  Mail note{.kind = MailKind::hosted,
            .hosted = hosted->id,
            .number = hosted->generation,
            .token = command.token,
            .endpoint = command.endpoint,
            .name = command.name,
            .bytes = command.payload};
  for (std::uint32_t lane = 0; lane < node.lanes; ++lane) {
    const ShardId to{static_cast<std::uint8_t>(lane)};
    note.kind = to == home ? MailKind::host : MailKind::hosted;
    if (to != node.id) post(node, to, note);
  }
  if (home == node.id) answer_host(node, now, command.token, problem);
}

void let_go(Node& node, Instant now, const Command& command) {
  Hosted* const member = node.hosted.find(command.name);
  if (member == nullptr) return node.report.done(now, command.token, CommandResult::not_hosted);
  if (command.kind == Command::Kind::abandon) {
    abandon(node, *member);
    return node.report.done(now, command.token, CommandResult::ok);
  }
  member->remove_when_left = true;
  begin_leave(node, now, *member, command.token);
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

void send_stats(Node& node, Instant now, StatsGathering& gathering) {
  Event event;
  event.kind = Event::Kind::stats;
  event.at = now;
  event.token = std::exchange(gathering.token, 0);
  event.stats = gathering.sum;
  node.report.send(event);
}

void stats(Node& node, Instant now, const Command& command) {
  StatsGathering* free = nullptr;
  for (StatsGathering& gathering : node.stats_gatherings) {
    if (gathering.token == 0) free = &gathering;
  }
  if (free == nullptr) {
    return node.report.done(now, command.token, CommandResult::no_capacity, 0,
                            "too many stats are being added up");
  }
  *free = {.token = command.token, .missing = 0, .sum = stats_of(node)};
  for (std::uint32_t lane = 0; lane < node.lanes; ++lane) {
    const ShardId to{static_cast<std::uint8_t>(lane)};
    if (to == node.id) continue;
    if (post(node, to, {.kind = MailKind::stats_wanted, .token = command.token})) {
      free->missing |= 1u << lane;
    }
  }
  if (free->missing == 0) send_stats(node, now, *free);
}

}  // namespace

void answer_host(Node& node, Instant now, std::uint64_t token, HostProblem problem) {
  switch (problem) {
    case HostProblem::none:
      return node.report.done(now, token, CommandResult::ok);
    case HostProblem::already_hosted:
    case HostProblem::name_taken:
      return node.report.done(now, token, CommandResult::name_taken, 0, to_text(problem));
    case HostProblem::no_place:
    case HostProblem::table_full:
      return node.report.done(now, token, CommandResult::no_capacity, 0, to_text(problem));
  }
}

void add_stats(Node& node, Instant now, ShardId from, const Mail& mail) {
  if (mail.bytes.size() != sizeof(Stats)) return;
  for (StatsGathering& gathering : node.stats_gatherings) {
    if (gathering.token != mail.token) continue;
    Stats part;
    std::memcpy(&part, mail.bytes.data(), sizeof part);
    gathering.sum.add(part);
    gathering.missing &= ~(1u << static_cast<unsigned>(from));
    if (gathering.missing == 0) send_stats(node, now, gathering);
    return;
  }
}

namespace {

std::uint32_t age_ms(const Dissemination& queue) {
  return static_cast<std::uint32_t>(queue.oldest_age() / std::chrono::milliseconds(1));
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
  stats.members_leaving = counts.leaving;
  stats.nodes = node.peers.size();
  if (node.hosted.end() > 0) {
    const Hosted& first = node.hosted.at(0);
    stats.health_score = static_cast<std::uint32_t>(node.health(first));
    stats.incarnation = to_number(first.incarnation);
  }
  for (std::uint32_t place = 0; place < node.hosted.end(); ++place) {
    const Hosted& member = node.hosted.at(place);
    if (!member.used) continue;
    stats.incarnation_max = std::max(stats.incarnation_max, to_number(member.incarnation));
  }
  stats.hosted = node.hosted.size();
  stats.member_time = to_number(node.member_clock.time());
  stats.event_time = to_number(node.events.time());
  stats.query_time = to_number(node.queries.time());
  stats.membership_queue = node.broadcasts.size();
  stats.intent_queue = node.intent_queue.size();
  stats.event_queue = node.event_queue.size();
  stats.query_queue = node.query_queue.size();
  stats.membership_age_ms = age_ms(node.broadcasts);
  stats.intent_age_ms = age_ms(node.intent_queue);
  stats.event_age_ms = age_ms(node.event_queue);
  stats.query_age_ms = age_ms(node.query_queue);
  stats.broadcasts_dropped = node.broadcasts.dropped() + node.intent_queue.dropped() +
                             node.event_queue.dropped() + node.query_queue.dropped();
  stats.suspicions = node.suspicions.size();
  stats.streams = node.sessions.used();
  stats.encrypted = node.cipher.enabled();
  if (node.sync) {
    stats.digest_root = node.sync->digest.root().sum;
    stats.digest_count = node.sync->digest.root().count;
  }
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
      return leave_all(node, now, command.token);
    case Command::Kind::force_leave:
      return force_leave(node, now, command);
    case Command::Kind::set_meta:
      return set_meta(node, now, command);
    case Command::Kind::user_event:
      return user_event(node, now, command);
    case Command::Kind::host:
      return take_in(node, now, command);
    case Command::Kind::unhost:
    case Command::Kind::abandon:
      return let_go(node, now, command);
    case Command::Kind::stats:
      return stats(node, now, command);
    case Command::Kind::coordinate:
      return answer_coordinate(node, now, command);
    case Command::Kind::explain:
      return answer_explain(node, now, command);
    case Command::Kind::install_key:
    case Command::Kind::use_key:
    case Command::Kind::remove_key:
      return change_keys(node, now, command);
    case Command::Kind::query:
      return ask_query(node, now, command);
    case Command::Kind::respond:
      return answer_query(node, now, command);
    case Command::Kind::acknowledge:
      return acknowledge_query(node, now, command);
  }
}

}  // namespace starling
