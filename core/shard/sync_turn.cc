#include "core/shard/sync_turn.h"

#include "core/digest/answer.h"
#include "core/shard/apply_alive.h"
#include "core/shard/apply_dead.h"
#include "core/shard/apply_suspect.h"
#include "core/shard/row_digest.h"
#include "core/shard/send.h"
#include "core/shard/serf_turn.h"
#include "core/shard/stream_turn.h"
#include "core/swim/scaling.h"
#include "core/swim/versions.h"

namespace starling {

namespace {

// Up to this many members a full push/pull is cheap, and goes on at memberlist's pace.
constexpr std::uint32_t small_cluster_max = 1'024;

// The node's rows and packets, as an exchange wants them. Lives for one call.
class NodeRecords final : public RecordSource {
 public:
  NodeRecords(Node& node, Instant now) : node_(node), now_(now) {}

  const DigestTable& digest() const override { return node_.sync->digest; }

  void for_each_in_buckets(Bucket first, std::uint32_t buckets,
                           const RecordVisitor& visit) const override {
    bool more = true;
    node_.members.for_each_in_buckets(first, buckets, [&](Slot slot) {
      if (!more || !node_.members.listed(slot) || !is_digested(node_.members.state(slot))) return;
      more = visit(record_of(node_, slot));
    });
  }

  std::optional<MemberRecord> find(NameHash hash, std::string_view name) const override {
    const std::optional<Slot> slot = node_.members.find(hash, name);
    if (!slot || !node_.members.listed(*slot)) return std::nullopt;
    return record_of(node_, *slot);
  }

  void apply(const MemberRecord& record, const Endpoint& from) override {
    ++node_.counters.sync_rows_in;
    switch (record.state) {
      case MemberState::alive:
        apply_alive_record(record, from);
        break;
      case MemberState::suspect:
      case MemberState::dead:
        apply_suspect(
            node_, now_,
            {.incarnation = record.incarnation, .node = record.name, .from = node_.speaker_name()});
        break;
      case MemberState::left:
        apply_dead(node_, now_,
                   {.incarnation = record.incarnation, .node = record.name, .from = record.name},
                   0);
        break;
    }
    if (record.status_time == LamportTime{}) return;
    if (record.state != MemberState::left) {
      apply_join_intent(node_, now_, {.time = record.status_time, .node = record.name});
      return;
    }
    // As a push/pull state lists it: one step past the time it gives.
    const LamportTime after{to_number(record.status_time) + 1};
    apply_leave_intent(node_, now_, {.time = after, .node = record.name, .prune = false});
  }

  void send(const Endpoint& to, Bytes message) override {
    node_.counters.sync_bytes_out += message.size();
    send_uncompressed(node_, to, message);
  }

 private:
  void apply_alive_record(const MemberRecord& record, const Endpoint& from) {
    const std::array<std::byte, versions_bytes> versions = write_versions(record.versions);
    TokenBucket& allowance = node_.sync->gossip_allowance;
    const std::size_t cost = record.name.size() + record.meta.size() + 64;
    const bool gossip = allowance.allowance(now_) >= cost;
    if (gossip) allowance.spend(cost);
    apply_alive(node_, now_,
                {.incarnation = record.incarnation,
                 .node = record.name,
                 .address = record.endpoint.address.bytes(),
                 .port = record.endpoint.port,
                 .meta = record.meta,
                 .versions = versions},
                {.sender = &from, .quiet = !gossip});
  }

  Node& node_;
  Instant now_;
};

// memberlist's exchange of full states, not more often than memberlist would.
void full_exchange(Node& node, Instant now, const Endpoint& peer) {
  if (now < node.sync->full_due) return;
  node.sync->full_due = now + push_pull_scale(node.options.swim.push_pull_interval, node.nodes());
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
      full_exchange(node, now, sync.exchange.peer());
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

void on_standing(Node& node, Instant now, const Endpoint& peer, const Standing& theirs) {
  const Root ours = node.sync->digest.root();
  if (ours == Root{theirs.root, theirs.count}) {
    ++node.counters.syncs_equal;
  } else {
    begin_exchange(node, now, peer);
  }
  if (node.nodes() <= small_cluster_max && now >= node.sync->full_due) {
    return full_exchange(node, now, peer);  // events go with it
  }
  if (theirs.events != node.events.digest()) exchange_events(node, now, peer, theirs.events);
}

}  // namespace

void sync_turn(Node& node, Instant now) {
  node.wheel.arm(timer(FixedTimer::push_pull), now + node.options.swim.push_pull_interval);
  std::array<Slot, 1> chosen;
  const std::size_t count = node.peers.sample(node.rng, chosen, [&](Slot slot) {
    return node.is_self(slot) || node.members.state(slot) != MemberState::alive;
  });
  const Hosted* speaker = node.hosted.speaker();
  if (count == 0 || speaker == nullptr) return;
  SyncState& sync = *node.sync;
  sync.asking = true;
  sync.asked = node.next_sequence();
  sync.asked_peer = node.members.endpoint(chosen[0]);
  StandingRoom room;
  send_message(node, sync.asked_peer,
               Ping{.sequence = sync.asked,
                    .node = node.members.name(chosen[0]),
                    .source = own_source(node, *speaker),
                    .standing = own_standing(node, room)});
  node.wheel.arm(timer(FixedTimer::sync_ask), now + node.options.swim.probe_timeout);
}

void sync_ask_due(Node& node, Instant now) {
  if (!std::exchange(node.sync->asking, false)) return;
  full_exchange(node, now, node.sync->asked_peer);
}

void sync_due(Node& node, Instant now) {
  NodeRecords records(node, now);
  node.sync->exchange.on_time(now, records);
  look_after(node, now);
}

void apply_sync(Node& node, Instant now, Bytes body, const Endpoint& from) {
  const Decoded<SyncMessage> message = decode_sync(body);
  if (!message || !node.sync) {
    ++node.counters.messages_dropped;
    if (message) return;
    node.report.trace(now, TraceKind::message_dropped, {.endpoint = from, .error = message.error()},
                      node.counters);
    return;
  }
  node.counters.sync_bytes_in += body.size() + 1;
  NodeRecords records(node, now);
  if (!message->header.from_responder) {
    answer(from, *message, SyncState::room(node.options), records);
    return;
  }
  node.sync->exchange.on_message(now, from, *message, body.size() + 1, records);
  look_after(node, now);
}

bool apply_sync_ack(Node& node, Instant now, const Ack& ack) {
  if (!node.sync || !node.sync->asking || ack.sequence != node.sync->asked) return false;
  node.sync->asking = false;
  node.wheel.cancel(timer(FixedTimer::sync_ask));
  const std::optional<Standing> theirs = read_standing(ack.standing);
  if (theirs) {
    on_standing(node, now, node.sync->asked_peer, *theirs);
  } else {
    full_exchange(node, now, node.sync->asked_peer);
  }
  return true;
}

void begin_exchange(Node& node, Instant now, const Endpoint& peer) {
  if (!node.sync || node.sync->exchange.running()) return;
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
  if (!node.sync) return {};
  const Root root = node.sync->digest.root();
  return write_standing({.root = root.sum, .count = root.count, .events = node.events.digest()},
                        room);
}

}  // namespace starling
