#include "core/shard/probe_turn.h"

#include "core/shard/apply_suspect.h"
#include "core/shard/coordinates.h"
#include "core/shard/reap_turn.h"
#include "core/shard/route.h"
#include "core/shard/send.h"
#include "core/shard/stream_turn.h"
#include "core/shard/sync_turn.h"

namespace starling {

namespace {

bool target_still_there(const Node& node, const Probe& probe) {
  return node.members.occupied(probe.target) && node.members.listed(probe.target) &&
         node.members.hash(probe.target) == probe.target_hash;
}

void send_direct(Node& node, const Hosted& member) {
  const Probe& probe = member.probe;
  const Slot target = probe.target;
  const std::string_view name = node.members.name(target);
  StandingRoom standing;
  const Ping ping{.sequence = probe.sequence,
                  .node = name,
                  .source = own_source(node, member),
                  .standing = own_standing(node, standing)};
  ++node.counters.pings_sent;
  if (node.members.state(target) == MemberState::alive) {
    send_message(node, node.members.endpoint(target), ping);
    return;
  }
  // The accused hears of the accusation together with the ping, so that it can refute at once.
  std::array<std::byte, 4096> ping_room;
  Writer ping_out(ping_room);
  encode(ping, ping_out);
  std::array<std::byte, 4096> suspect_room;
  Writer suspect_out(suspect_room);
  encode(Suspect{.incarnation = probe.incarnation, .node = name, .from = node.hosted.name(member)},
         suspect_out);
  CompoundBuilder builder(node.packet_scratch);
  if (!ping_out.ok() || !suspect_out.ok()) return;
  builder.add(ping_out.written());
  builder.add(suspect_out.written());
  send_datagram(node, node.members.endpoint(target), builder.finish(),
                node.members.versions(target).protocol_max >= 5);
}

// The place where the prober of a sequence number is noted.
std::uint32_t& prober_place(Node& node, SequenceNumber sequence) {
  return node.prober_of[to_number(sequence) & (node.prober_of.size() - 1)];
}

// A number whose place no running probe needs: half of the places are free at any time.
SequenceNumber sequence_for(Node& node, const Hosted& member) {
  SequenceNumber sequence = node.next_sequence();
  while (prober_place(node, sequence) != 0) sequence = node.next_sequence();
  prober_place(node, sequence) = to_number(member.id) + 1;
  return sequence;
}

// Who runs the probe with this number; nullptr when nobody does.
Hosted* prober(Node& node, SequenceNumber sequence) {
  const std::uint32_t number = prober_place(node, sequence);
  if (number == 0) return nullptr;
  Hosted& member = node.hosted.at(number - 1);
  const bool runs = member.used && member.probe.stage != Probe::Stage::idle;
  return runs && member.probe.sequence == sequence ? &member : nullptr;
}

void start(Node& node, Instant now, Hosted& member, Slot target) {
  Probe& probe = member.probe;
  const Duration whole = node.options.swim.probe_interval * (node.health(member) + 1);
  probe = {.stage = Probe::Stage::direct,
           .tick_pending = probe.tick_pending,
           .sequence = sequence_for(node, member),
           .target = target,
           .target_hash = node.members.hash(target),
           .incarnation = node.members.incarnation(target),
           .started = now,
           .deadline = now + whole};
  node.counters.probes_slowed += whole > node.options.swim.probe_interval;
  node.report.trace(now, TraceKind::probe, {.name = node.members.name(target)}, node.counters);
  send_direct(node, member);
  node.wheel.arm(node.probe_timer(member), now + std::min(node.options.swim.probe_timeout, whole));
}

void start_next(Node& node, Instant now, Hosted& member) {
  const auto on_wrap = [&] { reap_nodes(node, now); };
  const auto skip = [&](Slot slot) {
    const MemberState state = node.members.state(slot);
    return node.is_self(slot) || state == MemberState::dead || state == MemberState::left;
  };
  const std::optional<Slot> target = node.peers.next(node.rng, skip, on_wrap);
  if (target) start(node, now, member, *target);
}

// Ends the probe. A tick that came meanwhile starts the next one at once.
void finish(Node& node, Instant now, Hosted& member) {
  ++node.counters.probes_ended;
  node.counters.probe_nanoseconds +=
      static_cast<std::uint64_t>((now - member.probe.started).count());
  end_probe(node, member);
  if (!member.probe.tick_pending) return;
  member.probe.tick_pending = false;
  start_next(node, now, member);
}

// The fallback over a stream, which the front lane dials.
void ask_over_stream(Node& node, Instant now, const Hosted& member) {
  const Probe& probe = member.probe;
  std::array<std::byte, 2048> room;
  Writer out(room);
  encode(Ping{.sequence = probe.sequence,
              .node = node.members.name(probe.target),
              .source = own_source(node, member)},
         out);
  if (!out.ok()) return;
  const Endpoint to = node.members.endpoint(probe.target);
  if (node.id == front_lane) {
    return dial_ping(node, now, to, {probe.sequence, probe.deadline, out.written()});
  }
  post(node, front_lane,
       {.kind = MailKind::ping_wanted,
        .sequence = probe.sequence,
        .endpoint = to,
        .due = probe.deadline,
        .bytes = out.written()});
}

// Sends the indirect ping through this member.
void send_through(Node& node, Slot relay, IndirectPing& ping) {
  ping.nack = node.members.versions(relay).protocol_max >= 4;
  ++node.counters.indirect_pings_sent;
  send_message(node, node.members.endpoint(relay), ping);
}

std::size_t sample_relays(Node& node, std::span<Slot> chosen, Slot target) {
  return node.peers.sample(node.rng, chosen, [&](Slot slot) {
    return node.is_self(slot) || slot == target || node.members.state(slot) != MemberState::alive;
  });
}

std::size_t ask_own_members(Node& node, Probe& probe, IndirectPing& ping, std::size_t wanted) {
  std::array<Slot, 16> chosen;
  const std::size_t count =
      sample_relays(node, std::span(chosen).first(std::min(wanted, chosen.size())), probe.target);
  for (const Slot relay : std::span(chosen).first(count)) {
    send_through(node, relay, ping);
    if (ping.nack) ++probe.nacks_expected;
  }
  return count;
}

// Lanes get their part of the relays by the members they own, the target left out.
std::size_t ask_all_lanes(Node& node, Probe& probe, IndirectPing& ping, std::size_t wanted) {
  std::array<std::byte, 4096> room;
  Writer out(room);
  encode(ping, out);
  if (!out.ok()) return 0;
  const auto share = node.view->deal(&LaneView::live_others, node.rng, wanted, node.id, 1);
  std::size_t asked = 0;
  for (std::uint32_t i = 0; i < node.lanes; ++i) {
    const ShardId lane{static_cast<std::uint8_t>(i)};
    if (lane == node.id || share[i] == 0) continue;
    if (post(node, lane,
             {.kind = MailKind::relay_wanted,
              .sequence = ping.sequence,
              .number = share[i],
              .bytes = out.written()})) {
      asked += share[i];
    }
  }
  return asked + ask_own_members(node, probe, ping, share[static_cast<std::size_t>(node.id)]);
}

void ask_others(Node& node, Instant now, Hosted& member) {
  Probe& probe = member.probe;
  probe.stage = Probe::Stage::indirect;
  const Endpoint target = node.members.endpoint(probe.target);
  IndirectPing ping{.sequence = probe.sequence,
                    .target = target.address.bytes(),
                    .port = target.port,
                    .node = node.members.name(probe.target),
                    .nack = false,
                    .source = own_source(node, member)};
  const std::size_t wanted = node.options.swim.indirect_checks;
  const std::size_t count = node.alone() ? ask_own_members(node, probe, ping, wanted)
                                         : ask_all_lanes(node, probe, ping, wanted);
  node.report.trace(now, TraceKind::probe_indirect, {.name = ping.node, .number = count},
                    node.counters);
  if (node.options.swim.stream_pings && node.members.versions(probe.target).protocol_max >= 3) {
    ask_over_stream(node, now, member);
  }
  node.wheel.arm(node.probe_timer(member), probe.deadline);
}

void fail(Node& node, Instant now, Hosted& member) {
  const Probe probe = member.probe;
  const std::string_view name = node.members.name(probe.target);
  if (probe.stream_acked) {
    node.report.trace(now, TraceKind::probe_stream_acked, {.name = name}, node.counters);
    change_health(node, now, member, -1);
    return finish(node, now, member);
  }
  ++node.counters.probes_failed;
  node.report.trace(now, TraceKind::probe_failed, {.name = name}, node.counters);
  // Missing nacks say that the trouble may be ours; without relays every failure does.
  int delta = 1;
  if (probe.nacks_expected > 0) {
    delta = static_cast<int>(probe.nacks_expected) -
            static_cast<int>(std::min(probe.nacks_received, probe.nacks_expected));
  }
  change_health(node, now, member, delta);
  apply_suspect(node, now,
                {.incarnation = probe.incarnation, .node = name, .from = node.hosted.name(member)});
  finish(node, now, member);
}

// The relay that waits for an ack of this number, if any.
ProbeRelay* relay_of(Node& node, SequenceNumber sequence) {
  ProbeRelay& relay = node.relays[to_number(sequence) % node.relays.size()];
  return relay.used && relay.ours == sequence ? &relay : nullptr;
}

// Whose tick comes next: each hosted member in turn.
Hosted* next_prober(Node& node) {
  for (std::uint32_t tried = 0; tried < node.hosted.end(); ++tried) {
    if (node.probe_turn >= node.hosted.end()) node.probe_turn = 0;
    Hosted& member = node.hosted.at(node.probe_turn++);
    if (member.used) return &member;
  }
  return nullptr;
}

void probe_tick(Node& node, Instant now, Hosted& member) {
  if (member.probe.stage != Probe::Stage::idle) {
    member.probe.tick_pending = true;
    return;
  }
  start_next(node, now, member);
}

Endpoint answer_to(const Source& source, const Endpoint& from) {
  if (source.address.empty() || source.port == 0) return from;
  return {IpAddress(source.address), source.port};
}

}  // namespace

void end_probe(Node& node, Hosted& member) {
  node.wheel.cancel(node.probe_timer(member));
  if (member.probe.stage == Probe::Stage::idle) return;
  member.probe.stage = Probe::Stage::idle;
  prober_place(node, member.probe.sequence) = 0;
}

void change_health(Node& node, Instant now, Hosted& member, int delta) {
  if (!node.at_home(member)) {
    const auto number = static_cast<std::uint64_t>(static_cast<std::int64_t>(delta));
    post(node, node.home(member),
         {.kind = MailKind::health, .hosted = member.id, .number = number});
    return;
  }
  const auto before = member.awareness.score();
  member.awareness.apply(delta);
  const auto after = member.awareness.score();
  if (before == after) return;
  node.view->set_score(to_number(member.id), after);
  node.report.trace(now, TraceKind::health_changed,
                    {.name = node.hosted.name(member), .number = static_cast<std::uint64_t>(after)},
                    node.counters);
}

void probe_ticks(Node& node, Instant now) {
  reap_more_nodes(node, now);
  const Duration spacing = node.probe_spacing();
  // After a pause the ticks of one interval are made up for, not those of the whole pause.
  node.probe_tick_due = std::max(node.probe_tick_due, now - node.options.swim.probe_interval);
  const std::uint32_t ticks_max = std::max(1u, node.hosted.size());
  const bool nobody = !node.alone() && node.live_others == 0;
  if (nobody) node.probe_tick_due = now + spacing;
  for (std::uint32_t ticks = 0; ticks < ticks_max && node.probe_tick_due <= now; ++ticks) {
    if (node.out.packets_left() < probe_packets_max(node)) break;  // the rest comes next turn
    node.probe_tick_due += spacing;
    if (Hosted* member = next_prober(node)) probe_tick(node, now, *member);
  }
  node.wheel.arm(timer(FixedTimer::probe_tick), std::max(node.probe_tick_due, now));
}

void probe_stage_due(Node& node, Instant now, Hosted& member) {
  if (!member.used || member.probe.stage == Probe::Stage::idle) return;
  if (!target_still_there(node, member.probe)) return finish(node, now, member);
  if (member.probe.stage == Probe::Stage::direct) return ask_others(node, now, member);
  fail(node, now, member);
}

void apply_ping(Node& node, Instant now, const Ping& ping, const Endpoint& from) {
  if (!ping.node.empty() && node.hosted.find(ping.node) == nullptr) {
    node.report.trace(now, TraceKind::message_dropped,
                      {.name = ping.node, .endpoint = from, .text = "ping for another name"},
                      node.counters);
    ++node.counters.messages_dropped;
    return;
  }
  const Endpoint to = answer_to(ping.source, from);
  if (to.address.empty()) {  // neither 4 nor 16 bytes: nowhere to send to
    ++node.counters.messages_dropped;
    return;
  }
  ++node.counters.pings_answered;
  // Only who shows where it stands is told where we do.
  StandingRoom standing;
  const Bytes ours = ping.standing.empty() ? Bytes{} : own_standing(node, standing);
  send_message(
      node, to,
      Ack{.sequence = ping.sequence, .payload = own_coordinate_payload(node), .standing = ours});
}

void apply_indirect_ping(Node& node, Instant now, const IndirectPing& ping, const Endpoint& from) {
  const bool old_protocol = node.options.versions.protocol_current < 2;
  const Endpoint target{IpAddress(ping.target),
                        ping.port == 0 || old_protocol ? node.options.bind_port() : ping.port};
  const Endpoint requester = answer_to(ping.source, from);
  const SequenceNumber ours = node.next_sequence();
  const std::uint32_t place = to_number(ours) % static_cast<std::uint32_t>(node.relays.size());
  ProbeRelay& relay = node.relays[place];
  const Hosted* speaker = node.hosted.speaker();
  if (target.address.empty() || requester.address.empty() || relay.used || speaker == nullptr) {
    ++node.counters.messages_dropped;
    return;
  }
  relay = {.used = true,
           .nack = ping.nack,
           .ours = ours,
           .theirs = ping.sequence,
           .requester = requester};
  node.wheel.arm(node.relay_timer(place), now + node.options.swim.probe_timeout);
  ++node.counters.indirect_pings_served;
  send_message(node, target,
               Ping{.sequence = ours, .node = ping.node, .source = own_source(node, *speaker)});
}

void apply_ack(Node& node, Instant now, const Ack& ack) {
  if (Hosted* member = prober(node, ack.sequence)) {
    ++node.counters.acks_received;
    if (target_still_there(node, member->probe)) {
      const auto trip = static_cast<std::uint64_t>((now - member->probe.started).count());
      node.report.trace(now, TraceKind::probe_acked,
                        {.name = node.members.name(member->probe.target), .number = trip},
                        node.counters);
      // Only a direct answer says how far the target is.
      if (member->probe.stage == Probe::Stage::direct) {
        take_measurement(node, now,
                         {.name = node.members.name(member->probe.target),
                          .payload = ack.payload,
                          .round_trip = now - member->probe.started});
      }
    }
    change_health(node, now, *member, -1);
    return finish(node, now, *member);
  }
  if (apply_sync_ack(node, now, ack)) {
    ++node.counters.acks_received;
    return;
  }
  ProbeRelay* relay = relay_of(node, ack.sequence);
  if (relay == nullptr) {
    ++node.counters.acks_unmatched;
    return;
  }
  ++node.counters.acks_received;
  node.wheel.cancel(node.relay_timer(static_cast<std::uint32_t>(relay - node.relays.data())));
  relay->used = false;
  send_message(node, relay->requester, Ack{.sequence = relay->theirs, .payload = {}});
}

void apply_nack(Node& node, const Nack& nack) {
  Hosted* member = prober(node, nack.sequence);
  if (member == nullptr) return;
  ++member->probe.nacks_received;
  ++node.counters.nacks_received;
}

void relay_due(Node& node, std::uint32_t place) {
  ProbeRelay& relay = node.relays[place];
  if (!relay.used) return;
  relay.used = false;
  if (relay.nack) send_message(node, relay.requester, Nack{.sequence = relay.theirs});
}

void stream_ping_acked(Node& node, SequenceNumber sequence) {
  Hosted* member = prober(node, sequence);
  if (member != nullptr && member->probe.stage == Probe::Stage::indirect) {
    member->probe.stream_acked = true;
  }
}

void relay_for(Node& node, ShardId asker, const Mail& mail) {
  node.decode_scratch.reset();
  auto ping = decode_indirect_ping(mail.bytes.subspan(1), node.decode_scratch);
  if (!ping) return;
  std::array<Slot, 16> chosen;
  const std::size_t wanted = std::min<std::size_t>(mail.number, chosen.size());
  const std::size_t count = sample_relays(node, std::span(chosen).first(wanted), no_slot);
  for (const Slot relay : std::span(chosen).first(count)) {
    send_through(node, relay, *ping);
    post(node, asker,
         {.kind = MailKind::relay_sent, .flag = ping->nack, .sequence = mail.sequence});
  }
}

void relay_sent(Node& node, const Mail& mail) {
  Hosted* member = prober(node, mail.sequence);
  if (member != nullptr && mail.flag) ++member->probe.nacks_expected;
}

const Hosted* indirect_prober(Node& node, SequenceNumber sequence) {
  const Hosted* member = prober(node, sequence);
  return member != nullptr && member->probe.stage == Probe::Stage::indirect ? member : nullptr;
}

}  // namespace starling
