#include "core/shard/sync_turn.h"

#include <algorithm>

#include "core/digest/answer.h"
#include "core/shard/node_records.h"
#include "core/shard/push_pull_image.h"
#include "core/shard/route.h"
#include "core/shard/send.h"
#include "core/shard/stream_turn.h"
#include "core/shard/sync_lanes.h"
#include "core/swim/scaling.h"

namespace starling {

namespace {

// Up to this many a peer that falls silent in an exchange is tried over a stream.
constexpr std::uint32_t stream_instead_max = 65'536;

// memberlist's exchange of full states, not more often than memberlist would. The next is counted
// from the turn that asked the peer: an answer that comes sooner than this one must not find it too
// early, or every other turn would pass in vain.
void full_exchange(Node& node, Instant now, Instant asked, const Endpoint& peer) {
  if (now < node.sync->full_due) return;
  node.sync->full_due = asked + push_pull_scale(node.options.swim.push_pull_interval, node.nodes());
  dial_push_pull(node, now, peer, {});
}

// After every call of the exchange: its timer, and its end.
void look_after(Node& node, Instant now) {
  SyncState& sync = *node.sync;
  const std::optional<Instant> due = sync.exchange.next_due();
  if (due) {
    node.wheel.arm(timer(FixedTimer::sync), std::max(*due, now));
  } else {
    node.wheel.cancel(timer(FixedTimer::sync));
  }
  if (sync.exchange.running() || sync.reported) return;
  sync.reported = true;
  const ExchangeOutcome& outcome = sync.exchange.outcome();
  switch (outcome.end) {
    case ExchangeEnd::running:
      return;
    case ExchangeEnd::converged:
      ++node.counters.syncs_converged;
      break;
    case ExchangeEnd::differing:
      ++node.counters.syncs_differing;
      break;
    case ExchangeEnd::silent:
    case ExchangeEnd::overrun:
      // Datagrams may not get through as they should; a stream may.
      ++node.counters.syncs_failed;
      if (node.nodes() <= stream_instead_max) {
        full_exchange(node, now, now, sync.exchange.peer());
      }
      break;
  }
  node.report.trace(now, TraceKind::sync_ended,
                    {.endpoint = sync.exchange.peer(),
                     .number = outcome.differences,
                     .text = outcome.converged() ? "tables are equal" : "tables differ still"},
                    node.counters);
}

// Only the recent events differ: both sides' go over a stream, without the members.
void exchange_events(Node& node, Instant now, const Endpoint& peer, std::uint32_t theirs) {
  SyncState& sync = *node.sync;
  const std::uint32_t ours = node.events.digest();
  if (sync.events_ours == ours && sync.events_theirs == theirs) return;  // tried, and in vain
  sync.events_ours = ours;
  sync.events_theirs = theirs;
  dial_push_pull(node, now, peer, {.events_only = true});
}

void on_standing(Node& node, Instant now, Instant asked, const Endpoint& peer,
                 const Standing& theirs) {
  if (!digests_complete(node)) return full_exchange(node, now, asked, peer);
  const Root ours = node.view->root();
  if (ours == Root{theirs.root, theirs.count}) {
    ++node.counters.syncs_equal;
  } else {
    begin_exchange(node, now, peer);
  }
  if (node.nodes() <= small_cluster_max && now >= node.sync->full_due) {
    return full_exchange(node, now, asked, peer);  // events go with it
  }
  if (theirs.events != node.events.digest()) exchange_events(node, now, peer, theirs.events);
}

// Notes the question and sends it; false when too many are open. `name` may be empty: whoever is
// there answers.
bool ask(Node& node, Instant now, std::string_view name, SyncState::Ask question) {
  const Hosted* speaker = node.hosted.speaker();
  SyncState& sync = *node.sync;
  const auto free = std::ranges::find(sync.asks, false, &SyncState::Ask::used);
  if (free == sync.asks.end() || speaker == nullptr) return false;
  question.used = true;
  question.sequence = node.next_sequence();
  question.due = now + node.options.swim.probe_timeout;
  *free = question;
  StandingRoom room;
  send_message(node, question.peer,
               Ping{.sequence = question.sequence,
                    .node = name,
                    .source = own_source(node, *speaker),
                    .standing = own_standing(node, room)});
  const TimerId id = timer(FixedTimer::sync_ask);
  if (!node.wheel.armed(id)) node.wheel.arm(id, question.due);
  return true;
}

// The question is over: with an answer of our kind, or without.
void answered(Node& node, Instant now, SyncState::Ask& question,
              const std::optional<Standing>& theirs) {
  question.used = false;
  if (!question.periodic) {
    question.dial.partial = theirs.has_value();
    return dial_push_pull(node, now, question.peer, question.dial);
  }
  const Instant asked = question.due - node.options.swim.probe_timeout;
  if (theirs) return on_standing(node, now, asked, question.peer, *theirs);
  full_exchange(node, now, asked, question.peer);
}

}  // namespace

bool digests_complete(const Node& node) {
  if (!node.sync || !node.sync->complete()) return false;
  return node.alone() || node.view->digests_agree();
}

void end_exchange(Node& node, Instant now) {
  node.sync->exchange.abandon();
  look_after(node, now);
}

void sync_turn(Node& node, Instant now) {
  node.wheel.arm(timer(FixedTimer::push_pull), now + node.options.swim.push_pull_interval);
  const std::optional<Slot> peer = draw_peer(node, PeerUse::push_pull);
  if (peer) compare_with(node, now, node.members.name(*peer), node.members.endpoint(*peer));
}

void compare_with(Node& node, Instant now, std::string_view name, const Endpoint& peer) {
  ask(node, now, name, {.periodic = true, .peer = peer});
}

void dial_join(Node& node, Instant now, const Endpoint& peer, const DialOptions& options) {
  const bool large = node.sync && node.nodes() > partial_nodes_max;
  if (large && ask(node, now, {}, {.peer = peer, .dial = options})) return;
  dial_push_pull(node, now, peer, options);
}

void sync_ask_due(Node& node, Instant now) {
  Instant next = Instant::max();
  for (SyncState::Ask& question : node.sync->asks) {
    if (question.used && question.due <= now) answered(node, now, question, std::nullopt);
    if (question.used) next = std::min(next, question.due);
  }
  if (next != Instant::max()) node.wheel.arm(timer(FixedTimer::sync_ask), next);
}

void sync_due(Node& node, Instant now) {
  NodeRecords records(node, now);
  node.sync->exchange.on_time(now, records);
  look_after(node, now);
}

void apply_sync(Node& node, Instant now, Bytes message, const Endpoint& from) {
  const Decoded<SyncMessage> decoded = decode_sync(message.subspan(1));
  if (!decoded || !digests_complete(node)) {
    ++node.counters.messages_dropped;
    if (decoded) return;
    node.report.trace(now, TraceKind::message_dropped, {.endpoint = from, .error = decoded.error()},
                      node.counters);
    return;
  }
  node.counters.sync_bytes_in += message.size();
  if (!node.alone() && pass_on(node, now, from, message, *decoded)) return;
  take_sync(node, now, from, *decoded, message.size());
}

void take_sync(Node& node, Instant now, const Endpoint& from, const SyncMessage& message,
               std::size_t bytes) {
  NodeRecords records(node, now);
  if (!message.header.from_responder) {
    return answer(from, message, SyncState::room(node.options), records);
  }
  node.sync->exchange.on_message(now, from, message, bytes, records);
  look_after(node, now);
}

bool apply_sync_ack(Node& node, Instant now, const Ack& ack) {
  if (!node.sync) return false;
  const auto question = std::ranges::find_if(node.sync->asks, [&](const SyncState::Ask& each) {
    return each.used && each.sequence == ack.sequence;
  });
  if (question == node.sync->asks.end()) return false;
  answered(node, now, *question, read_standing(ack.standing));
  return true;
}

void begin_exchange(Node& node, Instant now, const Endpoint& peer) {
  if (!node.sync || node.sync->exchange.running()) return;
  if (!digests_complete(node) || now < node.sync->quiet_until) return;
  SyncState& sync = *node.sync;
  ++node.counters.syncs_started;
  sync.reported = false;
  // Rounds of one exchange count on from its number.
  sync.exchanges += 64;
  NodeRecords records(node, now);
  const auto number = static_cast<std::uint32_t>(node.options.seed) + sync.exchanges;
  sync.exchange.begin(now, ExchangeId{number}, peer, records);
  look_after(node, now);
}

Bytes own_standing(Node& node, StandingRoom& room) {
  if (!digests_complete(node)) return {};
  const Root root = node.alone() ? node.sync->digest.root() : node.view->root();
  const std::uint32_t events =
      node.id == front_lane ? node.events.digest()
                            : node.view->lane(front_lane).events.load(std::memory_order_relaxed);
  return write_standing({.root = root.sum, .count = root.count, .events = events}, room);
}

}  // namespace starling
