// The streams of a shard: a fixed pool of sessions, each with the memory to read one message.
//
// protocol/memberlist section 5. A session is one connection with one request and at most one
// answer. What a session does is in stream_turn; here is only what it remembers. A session is large
// and most are never needed at a time, so each is made when it is first wanted, in room that was
// taken at the start; its buffers lie in untouched pages until a peer sends that much.
#pragma once

#include <vector>

#include "core/base/arena.h"
#include "core/shard/options.h"
#include "core/shard/streams.h"
#include "core/stream/inbound.h"
#include "core/swim/slot.h"
#include "core/swim/versions.h"
#include "wire/serf_state.h"

namespace starling {

// How a push/pull that we start differs from a periodic one.
struct DialOptions {
  bool join = false;
  bool announce = false;     // broadcast a join intent when it has succeeded
  bool partial = false;      // the peer goes on by digests: of a large table a part will do
  bool events_only = false;  // no members, only recent events and clocks
  bool ignore_old = false;   // raise the minimum of user events to the peer's clock
  std::uint64_t token = 0;   // the command to answer
};

struct Session {
  enum class Kind : std::uint8_t { unused, inbound, push_pull, ping };
  // What the peer asked for, or answered with.
  enum class Message : std::uint8_t { none, push_pull, user, ping, ack, error };

  Session(const InboundLimits& limits, const EnvelopePolicy& policy, Cipher& cipher,
          const InboundMemory& memory, MutableBytes state_carry, MutableBytes small_room)
      : inbound(limits, policy, cipher, memory),
        state(state_carry),
        state_carry_room(state_carry),
        small(small_room) {}

  Kind kind = Kind::unused;
  StreamId id{};
  Endpoint peer;
  Instant started{};  // push_pull
  Instant due{};
  // Inbound, while it waits for the rest of its request.
  std::uint32_t source = 0;  // 1 + its row of Sessions' sources; 0: does not wait
  Instant heard{};           // accepted, or so many bytes came once more
  std::size_t bytes_since_heard = 0;

  DialOptions dial;                       // push_pull
  SequenceNumber ping_sequence{};         // ping
  std::array<std::byte, 2048> ping_text;  // ping: what is sent once connected
  std::size_t ping_bytes = 0;

  Message message = Message::none;
  bool state_wanted = false;  // our state is written once all lanes have given their part
  bool writing = false;       // a write is under way; its bytes must stay
  bool answered = false;      // inbound: our answer is being written, then the stream ends
  std::uint32_t image = 0;    // 1 + the image being written; 0: none

  InboundStream inbound;

  // While a push/pull is being merged.
  PushPullHeader header;
  VersionCheck versions;
  bool merge_refused = false;  // versions do not overlap: read on, merge nothing
  std::uint32_t epoch = 0;     // 0: nothing merged yet
  std::uint64_t nodes_merged = 0;
  SerfStateReader state;
  MutableBytes state_carry_room;
  bool state_started = false;  // its type byte was read
  bool state_broken = false;   // the rest of it is ignored

  MutableBytes small;                // a ping, ack or error on its way out
  std::array<char, 256> error_text;  // the peer's error
  std::size_t error_bytes = 0;
};

// What Go peers accept at the most: an encrypted frame of 20 MiB, a state of 40 MiB and 1 048 576
// nodes (protocol/memberlist section 15). Above that a state has as many members as fit, drawn at
// random, and ourselves.
inline constexpr std::size_t state_bytes_max = 40u << 20;
inline constexpr std::size_t sealed_state_bytes_max = 20u << 20;
inline constexpr std::uint32_t state_nodes_max = 1'048'576;

class Sessions {
 public:
  // Push/pull states on their way out at a time; further ones are refused.
  static constexpr std::uint32_t images_max = 4;

  // `policy` and `cipher` must outlive the sessions.
  Sessions(Arena& arena, const EngineOptions& options, const EnvelopePolicy& policy,
           Cipher& cipher);
  static std::size_t footprint(const EngineOptions& options);
  // The most bytes that our own push/pull state can take.
  static std::size_t image_bytes_max(const EngineOptions& options);

  // A free session, reset; nullptr when all are in use.
  Session* acquire(Session::Kind kind);
  void release(Session& session);
  // The session of a stream; nullptr for one that has ended.
  Session* find(StreamId id);
  // One that was made.
  Session& at(std::uint32_t index) {
    CHECK(index < sessions_.size());
    return sessions_[index];
  }
  // All that were ever lent, the unused among them.
  std::span<Session> made() { return sessions_; }
  std::uint32_t index_of(const Session& session) const {
    return static_cast<std::uint32_t>(&session - sessions_.data());
  }
  StreamId next_dial_id();
  std::uint32_t used() const { return used_; }

  // Streams that wait for the rest of their request, by the source that they come from.
  struct Source {
    IpAddress address;
    std::uint32_t waiting = 0;
  };
  void begin_waiting(Session& session, const IpAddress& source);
  void end_waiting(Session& session);  // if it does
  std::uint32_t waiting(const IpAddress& source) const;
  const Source& source_of(const Session& waiting) const { return sources_[waiting.source - 1]; }
  // How many sources have any; and the one that has most, if there is one.
  std::uint32_t sources() const;
  const Source* largest_source() const;

  // Lends an image for a session until release(); empty when all are lent.
  MutableBytes lend_image(Session& session);
  MutableBytes message_room() { return message_; }
  MutableBytes compress_room() { return compressed_; }

 private:
  // One that was not used before; nullptr when all were.
  Session* make();

  InboundLimits limits_;
  const EnvelopePolicy* policy_;
  Cipher* cipher_;
  MutableBytes buffers_;           // of all sessions that can be
  std::vector<Session> sessions_;  // made so far; their room is reserved
  std::vector<Source> sources_;    // a row for each session; free ones have none that wait
  std::array<MutableBytes, images_max> images_;
  std::array<bool, images_max> image_lent_{};
  MutableBytes message_;
  MutableBytes compressed_;
  std::uint32_t dials_ = 0;
  std::uint32_t used_ = 0;
};

}  // namespace starling
