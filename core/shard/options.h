// Everything an engine can be told before it starts, with memberlist's and Serf's defaults.
//
// protocol/memberlist section 8 and protocol/serf section 8. A plain value: the agent fills it from
// flags and files, the simulator from a seed, an embedder by hand. Nothing reads it after start
// except the lane, which keeps its own copy.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"
#include "wire/envelope.h"
#include "wire/push_pull.h"

namespace starling {

enum class Profile : std::uint8_t { lan, wan, local };
// memberlist refuses longer metadata (protocol/memberlist section 8).
inline constexpr std::size_t meta_bytes_limit = 512;

std::optional<Profile> profile_from(std::string_view text);

// SWIM and Lifeguard constants. An interval of zero switches its task off.
struct SwimOptions {
  Duration probe_interval = std::chrono::seconds(1);
  Duration probe_timeout = std::chrono::milliseconds(500);
  unsigned indirect_checks = 3;
  bool stream_pings = true;  // TCP fallback ping beside indirect probes
  unsigned awareness_max_multiplier = 8;

  unsigned suspicion_mult = 4;
  unsigned suspicion_max_timeout_mult = 6;

  Duration gossip_interval = std::chrono::milliseconds(200);
  unsigned gossip_nodes = 3;
  // What gossip may send while more updates wait than the packets of a tick hold (gossip_turn.h).
  // As long as they do hold them, this changes nothing. A thousand updates a second of 100 bytes
  // need 3 MB/s in a cluster of a million (28 transmissions each). Zero: memberlist's fixed number
  // of packets, whatever waits; so does less than that number of packets a tick.
  std::uint64_t gossip_bytes_per_second_max = 4'000'000;
  unsigned retransmit_mult = 4;
  Duration gossip_to_the_dead_time = std::chrono::seconds(30);
  std::size_t udp_buffer_bytes = 1400;

  Duration push_pull_interval = std::chrono::seconds(30);
  // Compare tables with peers of this kind by digests, see core/shard/sync_turn.h. Go peers see an
  // unknown key in pings and acks, which they skip.
  bool digests = true;
  Duration stream_timeout = std::chrono::seconds(10);

  Duration dead_node_reclaim_time = Duration::zero();  // zero: off
  std::vector<std::string> cidrs_allowed;              // empty: everything

  static SwimOptions of(Profile profile);
};

// Constants of the Serf layer.
struct SerfOptions {
  Duration broadcast_timeout = std::chrono::seconds(5);
  Duration leave_propagate_delay = std::chrono::seconds(1);
  Duration reap_interval = std::chrono::seconds(15);
  Duration recent_intent_timeout = std::chrono::minutes(5);
  Duration reconnect_interval = std::chrono::seconds(30);
  Duration reconnect_timeout = std::chrono::hours(24);
  Duration tombstone_timeout = std::chrono::hours(24);
  Duration flap_timeout = std::chrono::seconds(60);
  Duration queue_check_interval = std::chrono::seconds(30);
  std::size_t queue_depth_warning = 128;
  std::size_t queue_depth_max = 4096;
  std::size_t event_slots = 512;
  std::size_t query_slots = 512;
  unsigned query_timeout_mult = 16;
  std::size_t user_event_bytes_max = 512;  // at most 9216
  std::size_t query_bytes_max = 1024;      // both counted as encoded, the type byte included
  std::size_t query_response_bytes_max = 1024;

  // Network coordinates: estimated round trips to other members (core/shard/coordinates.h).
  bool coordinates = true;

  // Clocks and minima restored from an earlier run (protocol/serf section 3).
  LamportTime member_clock{}, event_clock{}, query_clock{};
  LamportTime event_minimum{}, query_minimum{};
};

// What memory is reserved for. Every bound here is hard: beyond it starling refuses and counts.
struct CapacityOptions {
  std::uint32_t members_max = 16'384;
  std::uint32_t hosted_max = 64;   // members that this engine hosts at a time, the first included
  std::uint32_t streams_max = 64;  // sessions at a time, both directions
  // Of those, streams from one source (core/base/source.h) that wait for the rest of their request;
  // what one sends in a burst may be more for a moment. 0: three quarters.
  std::uint32_t streams_per_source_max = 0;
  std::uint32_t relays_max = 1'024;  // indirect probes served at a time
  // Network coordinates kept, of the peers probed most recently: 160 bytes each, more than a
  // member's row. 0: of all members in a table of up to 16384, of that many in a larger one.
  std::uint32_t coordinates_max = 0;
  std::uint32_t open_queries_max = 256;          // asked here, until their deadline
  std::uint32_t answerable_queries_max = 1'024;  // seen here; newer ones replace the oldest
  std::uint32_t query_answers_max = 0;  // to all open queries, each noted; 0: see answers_max()
  std::size_t name_bytes_max = 255;
  std::size_t member_slab_bytes = 0;  // 0: derived from members_max, see slab_bytes()
  std::size_t event_slab_bytes = 4u << 20;
  std::size_t queue_slab_bytes = 16u << 20;
  std::size_t event_ring_bytes = 8u << 20;           // lane to control
  std::size_t command_ring_bytes = 1u << 20;         // control to lane
  std::size_t mail_ring_bytes = 1u << 20;            // from each lane to each other
  std::size_t stream_compress_bytes_max = 1u << 20;  // larger states are sent uncompressed
  std::size_t stream_frame_bytes_max = 20u << 20;  // an encrypted frame, as Go refuses larger ones

  std::uint32_t source_streams() const {
    return streams_per_source_max != 0 ? streams_per_source_max : streams_max - streams_max / 4;
  }

  // Acks and responses of every member, and once more, up to 131072.
  std::uint32_t answers_max() const {
    if (query_answers_max != 0) return query_answers_max;
    return std::min<std::uint32_t>(members_max, 1u << 15) * 4;
  }

  // Room for all names and metadata. By default a name and metadata of an ordinary size each; a
  // table full of the largest ones takes fewer rows.
  std::size_t slab_bytes() const {
    if (member_slab_bytes != 0) return member_slab_bytes;
    return (std::size_t{1} << 20) + std::size_t{members_max} * 320;
  }
};

// A member that an engine hosts besides its first.
struct HostedMember {
  std::string name;
  Endpoint advertise;  // may be the same for all: pings carry the name they are for
  std::string meta;
};
// The same without owning anything.
struct HostedView {
  HostedView(std::string_view its_name, const Endpoint& its_advertise, Bytes its_meta)
      : name(its_name), advertise(its_advertise), meta(its_meta) {}
  explicit HostedView(const HostedMember& member)
      : HostedView(member.name, member.advertise, as_bytes(member.meta)) {}
  std::string_view name;
  Endpoint advertise;
  Bytes meta;
};

// Which traces an owner wants, one bit for each TraceKind (core/shard/events.h). What nobody reads
// costs nothing.
using TraceSet = std::uint64_t;
inline constexpr TraceSet all_traces = ~TraceSet{0};

// The largest EngineOptions::earlier_incarnation: half of what an incarnation can count.
inline constexpr std::uint32_t earlier_incarnation_max = 1u << 31;

struct EngineOptions {
  std::string name;                  // this member's name, 1..name_bytes_max bytes
  Endpoint advertise;                // what peers are told; also the Source of our pings
  std::string meta;                  // encoded tags, at most 512 bytes
  std::vector<HostedMember> hosted;  // further members, see core/shard/hosted.h
  Versions versions;                 // protocol_current 1..5, delegate_* are Serf's
  std::uint64_t seed = 0;            // every random choice of the engine
  std::uint32_t lanes = 1;           // shards of the node, each driven by a thread of its own
  // The last incarnation of an earlier life, or one above it: members start beyond it, so that no
  // statement about that life overrules them. 0: none.
  Incarnation earlier_incarnation{};

  Keyring keyring;
  std::string label;
  bool skip_inbound_label_check = false;
  bool verify_incoming = true;
  bool verify_outgoing = true;
  bool compress = true;
  TraceSet traces = all_traces;

  SwimOptions swim;
  SerfOptions serf;
  CapacityOptions capacity;
  EnvelopeLimits envelope_limits;
  PushPullLimits push_pull_limits;

  // The port that statements without a port mean (protocol/memberlist section 6).
  std::uint16_t bind_port() const {
    return bind_port_or_zero != 0 ? bind_port_or_zero : advertise.port;
  }
  std::uint16_t bind_port_or_zero = 0;  // 0: the same as advertise.port

  // Coordinates that are kept at the most.
  std::uint32_t coordinates_max() const {
    if (capacity.coordinates_max != 0) return capacity.coordinates_max;
    return std::min(capacity.members_max, 16'384u);
  }

  // The room every blank TxPacket must offer: the gossip budget and what no budget counts.
  std::size_t packet_room_bytes() const { return swim.udp_buffer_bytes + 512; }
};

// A sentence naming the option and the bound it breaks; nullopt when the options can run.
std::optional<std::string> problem_with(const EngineOptions& options);
// The same for one hosted member; empty when it can run.
std::string_view problem_with(const HostedView& member, const CapacityOptions& capacity);

}  // namespace starling
