#include "core/shard/node.h"

#include <bit>

namespace starling {

namespace {

// Messages of one turn before they are applied; a datagram may unfold to parts_max of them.
constexpr std::size_t parts_per_turn = 4096;
constexpr std::size_t scratch_bytes = 65'536;
constexpr std::uint32_t recent_intents_max = 4096;
constexpr std::uint32_t serf_updates_max = 16'384;

// memberlist's own refutations have a subject of their own each, above
// all slots.
std::uint32_t subjects_of(const EngineOptions& options) {
  return options.capacity.members_max + options.capacity.hosted_max;
}

// Twice what can wait at a time, so that a free place is near.
std::size_t prober_places(const CapacityOptions& capacity) {
  return std::bit_ceil(std::size_t{capacity.hosted_max} * 2 + 14);
}

EnvelopePolicy policy_of(const EngineOptions& options) {
  return {.label = {.label = options.label, .skip_inbound_check = options.skip_inbound_label_check},
          .verify_incoming = options.verify_incoming,
          .verify_outgoing = options.verify_outgoing,
          .compress = options.compress,
          .encryption_version = options.versions.protocol_current == 1 ? 0u : 1u};
}

AllowList allow_list_of(const EngineOptions& options) {
  AllowList list;
  for (const std::string& network : options.swim.cidrs_allowed) {
    CHECK(list.add(network));  // problem_with has looked at them
  }
  return list;
}

DisseminationLimits membership_limits(const EngineOptions& options) {
  return {.updates_max = subjects_of(options),
          .subjects_max = subjects_of(options),
          .slab_bytes = options.capacity.queue_slab_bytes,
          .message_bytes_max = static_cast<std::uint32_t>(options.swim.udp_buffer_bytes)};
}

DisseminationLimits serf_limits(const EngineOptions& options) {
  return {.updates_max = serf_updates_max,
          .subjects_max = 0,
          .slab_bytes = options.capacity.queue_slab_bytes / 2,
          .message_bytes_max = static_cast<std::uint32_t>(options.swim.udp_buffer_bytes)};
}

EventBufferLimits event_limits(const EngineOptions& options) {
  return {.slots = static_cast<std::uint32_t>(options.serf.event_slots),
          .events_max = 8192,
          .storage_bytes = static_cast<std::uint32_t>(options.capacity.event_slab_bytes)};
}

QueryBufferLimits query_limits(const EngineOptions& options) {
  return {.slots = static_cast<std::uint32_t>(options.serf.query_slots), .ids_per_slot_max = 64};
}

OpenQueryLimits open_query_limits(const CapacityOptions& capacity) {
  return {.queries_max = capacity.open_queries_max, .answers_max = capacity.answers_max()};
}

AnswerableQueryLimits answerable_limits(const CapacityOptions& capacity) {
  return {.queries_max = capacity.answerable_queries_max,
          .name_bytes_max = static_cast<std::uint32_t>(capacity.name_bytes_max)};
}

// The allowance may gather for a tick, so that a quiet tick does not cost the next one its share.
TokenBucket::Rate gossip_rate(const SwimOptions& swim) {
  return {.bytes_per_second = swim.gossip_bytes_per_second_max,
          .burst = std::clamp<Duration>(swim.gossip_interval, Duration::zero(),
                                        std::chrono::seconds(1))};
}

std::size_t stream_ops_max(const CapacityOptions& capacity) {
  return std::size_t{capacity.streams_max} * 4 + 64;
}

// Every lane of a node cuts the members the same way, every node another way.
BucketMap buckets_of(const EngineOptions& options, std::uint32_t lanes, Rng& rng) {
  if (lanes == 1) return BucketMap(1, rng);
  Rng shared(options.seed ^ 0x6275'636b'6574'7300);
  return BucketMap(lanes, shared);
}

std::uint64_t seed_of(const EngineOptions& options, ShardId id) {
  return options.seed + static_cast<std::uint64_t>(id) * 0x9e37'79b9'7f4a'7c15;
}

NodeView* view_of(Arena& arena, const EngineOptions& options, NodeView* shared,
                  std::optional<NodeView>& own) {
  if (shared != nullptr) return shared;
  return &own.emplace(arena, 1, options.capacity.hosted_max);
}

}  // namespace

std::size_t Node::footprint(const EngineOptions& options) {
  const CapacityOptions& capacity = options.capacity;
  const std::uint32_t members = capacity.members_max;
  Footprint need;
  need.add(TimerWheel::footprint(TimerRanges(capacity).end));
  need.make<StreamOp>(stream_ops_max(capacity));
  need.make<std::uint8_t>(members);  // Reporter
  need.make<Slot>(members);
  need.bytes(Peeler::workspace_bytes(options.envelope_limits));
  need.make<Bytes>(parts_per_turn);
  need.bytes(scratch_bytes);
  need.bytes(scratch_bytes);
  need.add(MemberTable::footprint(members, capacity.slab_bytes()));
  need.add(PeerList::footprint(members));
  need.add(Suspicions::footprint(members));
  need.add(Dissemination::footprint(membership_limits(options)));
  need.make<ProbeRelay>(capacity.relays_max);
  need.add(HostedMembers::footprint(capacity.hosted_max, members));
  need.make<std::uint32_t>(prober_places(capacity));
  need.add(SerfMembers::footprint(members));
  need.add(RecentIntents::footprint(recent_intents_max));
  need.add(EventBuffer::footprint(event_limits(options)));
  need.add(QueryBuffer::footprint(query_limits(options)));
  need.add(OpenQueries::footprint(open_query_limits(capacity)));
  need.add(AnswerableQueries::footprint(answerable_limits(capacity)));
  for (int queue = 0; queue < 3; ++queue) need.add(Dissemination::footprint(serf_limits(options)));
  need.add(Sessions::footprint(options));
  if (SyncState::possible(options)) need.add(SyncState::footprint(options));
  if (options.serf.coordinates) need.add(CoordinateCache::footprint(options.coordinates_max()));
  need.make<std::uint32_t>(members);  // left_in_merge
  if (options.lanes > 1) {
    need.bytes(Sessions::image_bytes_max(options));
  } else {
    need.add(NodeView::footprint(1, capacity.hosted_max));
  }
  return need.total();
}

Node::Node(Arena& arena, const EngineOptions& given, Instant start, EventWriter event_writer,
           LanePlace place)
    : options(given),
      policy(policy_of(options)),
      timers(options.capacity),
      id(place.id),
      lanes(place.lanes),
      rng(seed_of(options, place.id)),
      nonce_rng(seed_of(options, place.id) ^ 0x6e6f'6e63'6573'0000),
      buckets(buckets_of(options, place.lanes, rng)),
      wheel(arena, timers.end, start),
      out(arena, stream_ops_max(options.capacity)),
      view(view_of(arena, options, place.view, own_view)),
      mail(std::move(place.mail)),
      report(arena, options.capacity.members_max, std::move(event_writer)),
      keyring(options.keyring),
      cipher(keyring),
      peeler(options.envelope_limits,
             arena.bytes(Peeler::workspace_bytes(options.envelope_limits))),
      parts(arena.make<Bytes>(parts_per_turn)),
      packet_scratch(arena.bytes(scratch_bytes)),
      user_scratch(arena.bytes(scratch_bytes)),
      members(arena, options.capacity.members_max, options.capacity.slab_bytes()),
      peers(arena, options.capacity.members_max),
      suspicions(arena, options.capacity.members_max),
      hosted(arena, options.capacity.hosted_max, options.capacity.members_max),
      broadcasts(arena, membership_limits(options)),
      gossip_allowance(gossip_rate(options.swim), start),
      admission(allow_list_of(options)),
      prober_of(arena.make<std::uint32_t>(prober_places(options.capacity))),
      relays(arena.make<ProbeRelay>(options.capacity.relays_max)),
      serf(arena, options.capacity.members_max, options.serf.flap_timeout),
      recent_intents(arena, recent_intents_max),
      events(arena, event_limits(options)),
      queries(arena, query_limits(options)),
      open_queries(arena, open_query_limits(options.capacity)),
      answerable(arena, answerable_limits(options.capacity)),
      intent_queue(arena, serf_limits(options)),
      event_queue(arena, serf_limits(options)),
      query_queue(arena, serf_limits(options)),
      sessions(arena, options, policy, cipher),
      image_part_room(place.lanes > 1 ? arena.bytes(Sessions::image_bytes_max(options))
                                      : MutableBytes{}),
      left_in_merge(arena.make<std::uint32_t>(options.capacity.members_max)) {
  // A node without keys takes none later, as in Serf.
  if (cipher.enabled()) cipher.reserve(Keyring::keys_max);
  if (options.serf.coordinates && place.id == ShardId{0}) coordinates.emplace(arena, options);
  if (SyncState::possible(options)) {
    sync.emplace(arena, options, start);
    // Pairs with the acquire loads in NodeView.
    view->lane(id).digest.store(&sync->digest, std::memory_order_release);
  }
  report.want_traces(options.traces);
  // Each clock starts at 1 and goes past what an earlier run has seen.
  member_clock.increment();
  const SerfOptions& restored = options.serf;
  if (restored.member_clock != LamportTime{}) member_clock.witness(restored.member_clock);
  if (restored.event_clock != LamportTime{}) events.witness(restored.event_clock);
  if (restored.query_clock != LamportTime{}) queries.witness(restored.query_clock);
  events.raise_minimum(restored.event_minimum);
  queries.raise_minimum(restored.query_minimum);
}

std::string_view Node::speaker_name() {
  const Hosted* speaker = hosted.speaker();
  return speaker == nullptr ? std::string_view(options.name) : hosted.name(*speaker);
}

bool Node::any_alive_itself() {
  const Hosted* speaker = hosted.speaker();
  return speaker != nullptr && speaker->leave == LeaveStage::none;
}

Duration Node::probe_spacing() const {
  const Duration spacing = options.swim.probe_interval / std::max<std::int64_t>(1, hosted.size());
  if (alone()) return spacing;
  // Each lane probes its own members: its share of the ticks is its share of the members.
  if (live_others == 0) return options.swim.probe_interval;
  const auto all = std::max(view->live_others(), live_others);
  return Duration(
      static_cast<Duration::rep>(static_cast<double>(spacing.count()) * all / live_others));
}

LamportTime Node::member_time() {
  if (!alone()) member_clock.witness_clock(view->member_time());
  return member_clock.time();
}

void Node::publish() {
  if (alone()) return;
  LaneView& mine = view->lane(id);
  mine.nodes.store(peers.size(), std::memory_order_relaxed);
  mine.live_others.store(live_others, std::memory_order_relaxed);
  mine.gossip_targets.store(live_others + dead_gossip_targets, std::memory_order_relaxed);
  mine.serf_total.store(serf.counts().total, std::memory_order_relaxed);
  mine.member_time.store(to_number(member_clock.time()), std::memory_order_relaxed);
  mine.versions.store(own_versions.pack(), std::memory_order_relaxed);
  mine.events.store(events.digest(), std::memory_order_relaxed);
}

SequenceNumber Node::next_sequence() {
  // The top 8 bits name the lane that waits for the answer.
  sequence = (sequence + 1) & 0x00ff'ffff;
  if (sequence == 0) sequence = 1;
  return SequenceNumber{static_cast<std::uint32_t>(id) << 24 | sequence};
}

Nonce Node::next_nonce() {
  Nonce nonce{};
  if (cipher.enabled()) nonce_rng.fill(nonce);
  return nonce;
}

}  // namespace starling
