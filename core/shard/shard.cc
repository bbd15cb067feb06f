#include "core/shard/shard.h"
#include "core/shard/event_repair.h"

#include "core/shard/apply_alive.h"
#include "core/shard/apply_mail.h"
#include "core/shard/apply_packet.h"
#include "core/shard/apply_suspect.h"
#include "core/shard/broadcast.h"
#include "core/shard/coordinates.h"
#include "core/shard/gossip_turn.h"
#include "core/shard/hosting.h"
#include "core/shard/leave.h"
#include "core/shard/probe_turn.h"
#include "core/shard/query_turn.h"
#include "core/shard/reap_turn.h"
#include "core/shard/rekey.h"
#include "core/shard/route.h"
#include "core/shard/stream_turn.h"
#include "core/shard/sync_turn.h"

namespace starling {

namespace {

// Commands taken in one turn; the rest wait for the next.
constexpr std::size_t commands_per_turn = 64;

// The blanks that one timer may fill, at most.
std::size_t packets_of_timer(const Node& node) {
  return std::max(gossip_packets_max(node), probe_packets_max(node));
}

}  // namespace

std::size_t Shard::footprint(const EngineOptions& options) {
  return Node::footprint(options);
}

Shard::Shard(Arena& arena, const EngineOptions& options, Instant start_at, EventWriter events,
             RingReader commands, LanePlace place)
    : node_(arena, options, start_at, std::move(events), std::move(place)),
      commands_(std::move(commands)) {
  start(start_at);
}

void Shard::start(Instant now) {
  const SwimOptions& swim = node_.options.swim;
  const SerfOptions& serf = node_.options.serf;
  const EngineOptions& options = node_.options;
  start_coordinates(node_);
  host(node_, now, {options.name, options.advertise, as_bytes(options.meta)});
  for (const HostedMember& member : options.hosted) host(node_, now, HostedView(member));

  const auto arm = [&](FixedTimer id, Duration after) {
    if (after.count() > 0) node_.wheel.arm(timer(id), now + after);
  };
  gossip_tick_ = now;
  node_.probe_tick_due = now + swim.probe_interval;
  arm(FixedTimer::probe_tick, swim.probe_interval);
  if (swim.push_pull_interval.count() > 0 && node_.id == front_lane) {
    // A random start keeps nodes that came up together from exchanging states together.
    const auto spread = static_cast<std::uint64_t>(swim.push_pull_interval.count());
    arm(FixedTimer::push_pull,
        Duration(static_cast<std::int64_t>(node_.rng.below(spread))) + swim.push_pull_interval);
  }
  arm(FixedTimer::reap, serf.reap_interval);
  arm(FixedTimer::reconnect, serf.reconnect_interval);
  arm(FixedTimer::queue_check, serf.queue_check_interval);
  node_.publish();
}

PollResult Shard::poll(Instant now, std::span<const RxPacket> rx, std::span<TxPacket> tx) {
  node_.out.lend(tx);
  node_.out.drop_taken_ops();
  node_.report.flush(now, node_.members, node_.serf);
  for (Dissemination* queue :
       {&node_.broadcasts, &node_.intent_queue, &node_.query_queue, &node_.event_queue}) {
    queue->set_time(now);
  }

  const std::size_t commands =
      commands_.drain(commands_per_turn, [&](Bytes record) { route_command(node_, now, record); });
  node_.full_turns = rx.size() >= burst_usual ? node_.full_turns + 1 : 0;
  const bool more_mail = apply_mails(node_, now);
  const std::size_t taken = apply_packets(node_, now, rx);
  const bool all_fired = node_.wheel.advance(now, [&](TimerId id) { return fire(now, id); });
  finish_broadcasts(node_, now);
  arm_gossip(now);
  node_.publish();

  PollResult result;
  result.taken = static_cast<std::uint32_t>(taken);
  result.filled = static_cast<std::uint32_t>(node_.out.filled());
  result.mailed = node_.mail.take_written();
  result.news = node_.report.take_sent() || commands > 0;
  const bool more = more_mail || !all_fired || taken < rx.size() || commands == commands_per_turn;
  result.next_due = more ? now : node_.wheel.next_due();
  return result;
}

void Shard::on_stream(Instant now, const StreamEvent& event) {
  node_.out.drop_taken_ops();
  apply_stream_event(node_, now, event);
}

// A node at rest is not woken five times a second to find that it has nothing to say. One of
// several lanes is: with each tick it counts whom the others may gossip to.
void Shard::arm_gossip(Instant now) {
  const Duration interval = node_.options.swim.gossip_interval;
  const TimerId tick = timer(FixedTimer::gossip);
  if (interval <= Duration::zero() || node_.wheel.armed(tick)) return;
  if (node_.alone() && !anything_to_gossip(node_)) return;
  node_.wheel.arm(tick, gossip_tick_ + ((now - gossip_tick_) / interval + 1) * interval);
}

bool Shard::fire(Instant now, TimerId id) {
  if (node_.out.packets_left() < packets_of_timer(node_)) {
    node_.wheel.arm(id, now);
    return false;
  }
  const TimerRanges& ranges = node_.timers;
  const auto number = static_cast<std::uint32_t>(id);
  if (number < ranges.waiters) {
    fire_fixed(now, static_cast<FixedTimer>(number));
  } else if (number < ranges.prunes) {
    wait_due(node_, now, number - ranges.waiters);
  } else if (number < ranges.sessions) {
    prune_due(node_, now, number - ranges.prunes);
  } else if (number < ranges.relays) {
    session_due(node_, now, number - ranges.sessions);
  } else if (number < ranges.queries) {
    relay_due(node_, number - ranges.relays);
  } else if (number < ranges.probes) {
    query_due(node_, now, number - ranges.queries);
  } else if (number < ranges.leaves) {
    probe_stage_due(node_, now, node_.hosted.at(number - ranges.probes));
  } else if (number < ranges.suspicions) {
    leave_due(node_, now, node_.hosted.at(number - ranges.leaves));
  } else {
    suspicion_due(node_, now, Slot{number - ranges.suspicions});
  }
  return true;
}

void Shard::fire_fixed(Instant now, FixedTimer id) {
  switch (id) {
    case FixedTimer::gossip:
      gossip_tick_ = now;
      return gossip_turn(node_, now);
    case FixedTimer::probe_tick:
      return probe_ticks(node_, now);
    case FixedTimer::push_pull:
      return node_.sync ? sync_turn(node_, now) : push_pull_turn(node_, now);
    case FixedTimer::sync:
      return sync_due(node_, now);
    case FixedTimer::sync_ask:
      return sync_ask_due(node_, now);
    case FixedTimer::reap:
      return reap_turn(node_, now);
    case FixedTimer::reconnect:
      return reconnect_turn(node_, now);
    case FixedTimer::queue_check:
      return queue_check_turn(node_, now);
    case FixedTimer::gossip_surplus:
      return gossip_surplus_turn(node_, now);
    case FixedTimer::keyring:
      return send_keyring(node_, now);
    case FixedTimer::event_repair:
      return event_repair_due(node_, now);
    case FixedTimer::digest_rekey:
      return rekey_digest_more(node_, now);
    case FixedTimer::count:
      return;
  }
}

}  // namespace starling
