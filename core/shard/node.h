// The memory of a shard: every piece of the protocol, side by side, with nothing happening yet.
//
// The work is done by free functions, one file for each kind of turn or message (gossip_turn,
// probe_turn, apply_alive, ...), which take the Node they work on. That keeps the pieces below
// ignorant of each other and this struct the only place where they meet. Owned by a Shard, used on
// its lane; everything of variable size comes from the engine's memory.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "core/base/arena.h"
#include "core/base/rng.h"
#include "core/base/token_bucket.h"
#include "core/base/wheel.h"
#include "core/serf/answerable_queries.h"
#include "core/serf/coordinate_cache.h"
#include "core/serf/event_buffer.h"
#include "core/serf/intents.h"
#include "core/serf/lamport.h"
#include "core/serf/members.h"
#include "core/serf/open_queries.h"
#include "core/serf/query_buffer.h"
#include "core/shard/bucket_map.h"
#include "core/shard/counters.h"
#include "core/shard/hosted.h"
#include "core/shard/left_listed.h"
#include "core/shard/mail.h"
#include "core/shard/node_view.h"
#include "core/shard/options.h"
#include "core/shard/outbox.h"
#include "core/shard/reporter.h"
#include "core/shard/sessions.h"
#include "core/shard/sync_state.h"
#include "core/shard/waiters.h"
#include "core/swim/admission.h"
#include "core/swim/dissemination.h"
#include "core/swim/member_table.h"
#include "core/swim/peer_list.h"
#include "core/swim/recent_targets.h"
#include "core/swim/suspicion.h"
#include "wire/envelope.h"

namespace starling {

// Timers are numbers in the wheel: first the fixed ones, then one range per kind.
enum class FixedTimer : std::uint32_t {
  gossip,
  probe_tick,
  push_pull,
  sync,
  sync_ask,
  reap,
  reconnect,
  queue_check,
  gossip_surplus,
  keyring,       // lanes that have not taken a new keyring are told again
  digest_rekey,  // the digest goes on taking rows in under its new key
  event_repair,  // user events that were missed are asked for
  count,
};

struct TimerRanges {
  std::uint32_t waiters, prunes, sessions, relays, queries, probes, leaves, suspicions, end;
  explicit TimerRanges(const CapacityOptions& capacity)
      : waiters(static_cast<std::uint32_t>(FixedTimer::count)),
        prunes(waiters + Waiters::waiters_max),
        sessions(prunes + prunes_max),
        relays(sessions + capacity.streams_max),
        queries(relays + capacity.relays_max),
        probes(queries + capacity.open_queries_max),
        leaves(probes + capacity.hosted_max),
        suspicions(leaves + capacity.hosted_max),
        end(suspicions + capacity.members_max) {}
  // Members pruned while they are still leaving wait this many at a time; more are refused.
  static constexpr std::uint32_t prunes_max = 64;
};
constexpr TimerId timer(FixedTimer fixed) {
  return TimerId{static_cast<std::uint32_t>(fixed)};
}

// An indirect probe done for somebody else.
struct ProbeRelay {
  bool used = false;
  bool nack = false;
  SequenceNumber ours{};
  SequenceNumber theirs{};
  Endpoint requester;
};

// What a lane adds to its node's push/pull state. The bytes lie in the lane's own memory.
struct ImagePart {
  Bytes nodes;     // node states
  Bytes left;      // names of left members
  Bytes statuses;  // names and status times
  std::uint32_t node_count = 0, left_count = 0, status_count = 0;
};

// A state being put together from the parts of all lanes; see image_gather.
struct ImageGathering {
  std::uint64_t number = 0;
  std::uint32_t missing = 0;  // lanes that have not answered, as a bit mask; 0: none runs
  std::array<ImagePart, lanes_max> parts;
};

// A new keyring on its way to the other lanes; see rekey.
struct KeyChange {
  std::uint64_t token = 0;    // of the command that waits
  std::uint64_t number = 0;   // counts keyrings
  std::uint32_t missing = 0;  // lanes that do not use it yet, as a bit mask
};

// Numbers being added up for a stats command.
struct StatsGathering {
  std::uint64_t token = 0;  // 0: free
  std::uint32_t missing = 0;
  Stats sum;
};

// The members of this lane that got a packet in one gossip round of another lane.
struct GossipRound {
  ShardId lane{};
  std::uint64_t number = 0;
  std::uint32_t count = 0;
  std::array<Slot, 16> chosen;
};

// User events that may have been missed: Lamport times before `to`, from `from` on; see
// event_repair.h.
struct EventRepair {
  LamportTime from{}, to{};
  std::uint32_t tries = 0;  // members asked for them
};

// The network coordinate of the node, and those of others; see coordinates.h.
struct CoordinateState {
  CoordinateState(Arena& arena, const EngineOptions& options)
      : client(options.seed ^ 0x636f'6f72'6469'6e61), cache(arena, options.coordinates_max()) {}

  CoordinateClient client;
  CoordinateCache cache;
};
// Our coordinate as acks carry it.
struct CoordinatePayload {
  std::array<std::byte, 160> room;
  std::size_t bytes = 0;  // 0: coordinates are off
};

// Where a lane stands among the lanes of its node. By itself: the only one.
struct LanePlace {
  ShardId id{};
  std::uint32_t lanes = 1;
  NodeView* view = nullptr;  // shared by all lanes; nullptr: the lane makes its own
  Mailbox mail;
};

struct Node {
  Node(Arena& arena, const EngineOptions& options, Instant start, EventWriter events,
       LanePlace place = {});

  // Memory that one lane's Node takes from its arena.
  static std::size_t footprint(const EngineOptions& options);

  TimerId waiter_timer(std::uint32_t i) const { return TimerId{timers.waiters + i}; }
  TimerId prune_timer(std::uint32_t i) const { return TimerId{timers.prunes + i}; }
  TimerId session_timer(std::uint32_t i) const { return TimerId{timers.sessions + i}; }
  TimerId relay_timer(std::uint32_t i) const { return TimerId{timers.relays + i}; }
  TimerId query_timer(std::uint32_t i) const { return TimerId{timers.queries + i}; }
  TimerId probe_timer(const Hosted& member) const {
    return TimerId{timers.probes + to_number(member.id)};
  }
  TimerId leave_timer(const Hosted& member) const {
    return TimerId{timers.leaves + to_number(member.id)};
  }
  TimerId suspicion_timer(Slot slot) const {
    return TimerId{timers.suspicions + static_cast<std::uint32_t>(slot)};
  }

  // Hosted by this engine: memberlist's "myself".
  bool is_self(Slot slot) const { return hosted.of(slot) != nullptr; }
  // Whose name stands under what the engine says about others on its own account.
  std::string_view speaker_name();
  bool any_alive_itself();
  bool alone() const { return lanes == 1; }
  bool owns(NameHash hash) const { return alone() || buckets.owner(hash) == id; }
  // The lane that owns the row of a hosted member decides for it; the others only know its name.
  ShardId home(const Hosted& member) const { return buckets.owner(member.hash); }
  bool at_home(const Hosted& member) const { return owns(member.hash); }
  // memberlist's n: everybody in its node list, ourselves, the dead and the left included.
  std::uint32_t nodes() const { return alone() ? peers.size() : std::max(1u, view->nodes()); }
  std::uint32_t serf_total() const {
    return alone() ? serf.counts().total : std::max(1u, view->serf_total());
  }
  bool anybody_else() const { return live_others > 0 || (!alone() && view->live_others() > 0); }
  // The member clock after everything that any lane has witnessed.
  LamportTime member_time();
  std::int32_t health(const Hosted& member) const {
    return at_home(member) ? member.awareness.score() : view->score(to_number(member.id));
  }
  // More arrives than this lane gets through: it must not add to the load of a busy network.
  bool overrun() const { return full_turns >= overrun_turns; }
  static constexpr std::uint32_t overrun_turns = 8;
  // Lets the other lanes see this lane's numbers.
  void publish();
  // Interval between the probe ticks of two hosted members: together they make one tick each in a
  // probe interval.
  Duration probe_spacing() const;
  SequenceNumber next_sequence();
  Nonce next_nonce();

  const EngineOptions options;
  const EnvelopePolicy policy;
  const TimerRanges timers;
  const ShardId id;
  const std::uint32_t lanes;
  Rng rng;
  Rng nonce_rng;  // its own, so that encryption does not change the other choices
  BucketMap buckets;
  TimerWheel wheel;
  Outbox out;
  std::optional<NodeView> own_view;  // when there is only this lane
  NodeView* view;
  Mailbox mail;
  Counters counters;
  Reporter report;

  // Bytes in and out.
  Keyring keyring;       // what the cipher works with
  KeyChange key_change;  // front lane
  Cipher cipher;
  Peeler peeler;
  Wrapper wrapper;
  std::span<Bytes> parts;       // messages of the packets taken in this turn
  MutableBytes packet_scratch;  // one datagram being built
  MutableBytes user_scratch;    // one user message being prefixed with its type
  Scratch decode_scratch;

  // memberlist's part.
  MemberTable members;
  PeerList peers;
  Suspicions suspicions;
  HostedMembers hosted;
  Dissemination broadcasts;
  TokenBucket gossip_allowance;           // for gossip beyond memberlist's, see gossip_turn.h
  std::uint32_t full_turns = 0;           // turns in a row that were handed a full burst
  std::uint32_t dead_gossip_targets = 0;  // dead members that still get gossip, as of the last tick
  std::uint64_t gossip_rounds = 0;        // through other lanes
  GossipRound gossip_round;               // of another lane, the last one
  RecentTargets gossip_recent;            // of this lane's own rounds
  EventRepair event_repair;
  AllowList admission;
  std::uint32_t probe_turn = 0;  // the place whose tick comes next
  Instant probe_tick_due{};
  Instant crowded_sweep{};  // when the last sweep of a table with few free rows began
  // Who waits for an ack with a sequence number: place + 1, by the number's low bits.
  std::span<std::uint32_t> prober_of;
  std::span<ProbeRelay> relays;
  std::uint32_t sequence = 0;
  std::uint32_t live_others = 0;  // alive or suspect members that others host
  // Said once that there is no room for a further row or for metadata; until a row goes.
  bool rows_full_told = false, metas_full_told = false;

  // Serf's part.
  SerfMembers serf;
  RecentIntents recent_intents;
  LamportClock member_clock;
  EventBuffer events;
  QueryBuffer queries;
  OpenQueries open_queries;  // front lane, as the next
  AnswerableQueries answerable;
  Dissemination intent_queue;
  Dissemination event_queue;
  Dissemination query_queue;
  std::array<Slot, TimerRanges::prunes_max> prunes;
  std::uint64_t leave_token = 0;  // the command that all hosted members leave for
  Waiters waiters;

  std::optional<CoordinateState> coordinates;  // front lane; nothing where they are off
  CoordinatePayload coordinate_payload;

  // Anti-entropy by digests; nothing where SyncState::possible says no.
  std::optional<SyncState> sync;

  // Streams.
  Sessions sessions;
  MutableBytes image_part_room;
  ImagePart image_part;      // what the front lane has asked for last
  ImageGathering gathering;  // front lane
  std::array<StatsGathering, 16> stats_gatherings{};
  std::uint32_t hosted_generation = 0;     // front lane: counts members taken in
  VersionCheck own_versions;               // of the rows that this lane owns
  std::uint32_t merge_epoch = 0;           // names one push/pull state being merged
  std::span<std::uint32_t> left_in_merge;  // by slot: the epoch in which it was listed as left
  LeftListed left_unknown;                 // the same for names without a row
};

}  // namespace starling
