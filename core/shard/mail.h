// Mail: what the lanes of one node send each other, through byte rings, one for each ordered pair.
//
// A lane is to its neighbour what a peer is: facts travel as the very bytes that came from the
// network, and the owner of the member decodes and judges them as if they had come to it. A ring
// that is full loses the record, as a socket would, and it is counted: nobody ever waits for
// another lane. What the network says heals through anti-entropy; what the owner of the engine
// asked for is small, and a part of each ring is kept free for it.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/hash.h"
#include "core/base/ring.h"
#include "core/base/time.h"
#include "core/shard/hosted.h"
#include "core/shard/node_view.h"
#include "wire/base/types.h"

namespace starling {

enum class MailKind : std::uint8_t {
  // What the network said.
  bundle,         // `bytes`: messages that came from `endpoint` in one datagram, see read_bundle
  merged,         // an alive, suspect or dead message that a push/pull brought
  left_listed,    // a state lists `name` as left; `number`: which merge
  status_listed,  // a state gives `name` the status time `token`; `number`: which merge
  // Sending through a member that another lane owns.
  gossip,        // `bytes`: a datagram body for a random member of the receiver; `number`: the
                 // sender's round
  relay_wanted,  // `bytes`: an indirect ping, to be sent to `number` random members of the receiver
  relay_sent,    // it was sent for probe `sequence`; `flag`: a nack may come
  peer_wanted,   // lane 0 asks for somebody to exchange states with; `number`: the PeerUse
  peer,          // that somebody: `name` at `endpoint`, for the use `number`
  dial,          // lane 0 is to join `endpoint`, a failed member
  ping_wanted,   // a stream ping for probe `sequence`: `bytes` to `endpoint` until `due`
  stream_acked,  // the stream ping of probe `sequence` was answered
  // Network coordinates, see coordinates.h.
  measured,            // a probe of `name` took `number` ns; `bytes`: the ack's payload
  coordinate,          // `bytes`: our coordinate, as acks carry it
  coordinate_useless,  // Serf has forgotten `name`
  answer_relays,  // `bytes`: a Serf message, to be sent to `number` random members of the receiver
  // Our own state for a push/pull.
  image_wanted,  // `number`: which gathering
  image,         // `token`: address of an ImagePart in the sender's memory, valid until the next
                 // image_wanted
  // Comparing tables with a peer of this kind; see sync_turn.h.
  sync_part,     // `bytes`: a message of wire/sync.h from `endpoint`; do what concerns your rows
  sync_unseen,   // send `endpoint` your rows of the buckets `token` whose names have none of the
                 // fingerprints `bytes`, for exchange `number`
  sync_wait,     // say when you are through with what came before; `number`
  sync_through,  // said
  // What the owner of the engine wants.
  command,        // `bytes`: a command record for the lane that owns its subject
  host,           // take in `hosted`: `name`, `endpoint`, metadata `bytes`; answer `token`
  hosted,         // `hosted` is a member called `name` at `endpoint`, its home is elsewhere
  unhosted,       // `hosted` is gone
  leave_wanted,   // `hosted`, whose home is there, is to leave
  leaving,        // `hosted` stands at leave stage `number`
  announce,       // announce the join of all members whose home is there
  health,         // the health of `hosted` changes by `number`, a signed value
  stats_wanted,   // command `token` wants numbers
  stats,          // `bytes`: a Stats; answers `token`
  keyring,        // `bytes`: all keys, see rekey.cc; `number`: which keyring of the front lane's
  keyring_taken,  // the keyring `number` is in use
};

struct Mail {
  MailKind kind{};
  bool flag = false;
  HostedId hosted{};
  SequenceNumber sequence{};
  std::uint64_t number = 0;
  std::uint64_t token = 0;
  Endpoint endpoint;
  Instant due{};
  std::string_view name;
  Bytes bytes;
};

// A message for another lane, and the name that it is about: the receiver fetches the rows of many
// from memory before it applies the first.
struct Parcel {
  NameHash subject{};  // 0: about nobody
  Bytes message;
};
// Messages in one bundle; the receiver may be asked for as many answers.
inline constexpr std::size_t bundle_messages_max = 32;

// Decodes a record made by Mailbox::send. The views point into the record.
Mail decode_mail(Bytes record);
// The messages of a bundle, in order; how many. Their views point into the bundle.
std::size_t read_bundle(Bytes bundle, std::span<Parcel, bundle_messages_max> parcels);

// One lane's ends of all its rings. Move-only; used by the lane's thread.
class Mailbox {
 public:
  // `to` and `from` by lane number; the lane's own places hold rings nobody uses.
  struct Ends {
    std::vector<RingWriter> to;
    std::vector<RingReader> from;
  };
  Mailbox() = default;
  explicit Mailbox(Ends ends) : ends_(std::move(ends)) {}

  // False: the ring is full and the record lost.
  bool send(ShardId to, const Mail& mail);
  // A mail of the kind bundle, of 1 to bundle_messages_max messages below 64 KiB each.
  bool send_bundle(ShardId to, const Endpoint& from, std::span<const Parcel> parcels);

  // Calls on_mail(ShardId from, const Mail&) for at most records_max records of each sender. True
  // when there may be more.
  template <class OnMail>
  bool drain(std::size_t records_max, OnMail&& on_mail) {
    bool more = false;
    for (std::size_t i = 0; i < ends_.from.size(); ++i) {
      const std::size_t count = ends_.from[i].drain(records_max, [&](Bytes record) {
        on_mail(ShardId{static_cast<std::uint8_t>(i)}, decode_mail(record));
      });
      more |= count == records_max;
    }
    return more;
  }
  // True when another lane has sent something since the last drain.
  bool waiting() const {
    for (const RingReader& ring : ends_.from) {
      if (!ring.empty()) return true;
    }
    return false;
  }
  // True while every ring has at least half its room: a stream that feeds them may go on.
  bool roomy() const;
  // Lanes that were written to since the last call, as a bit mask: they may have to be woken.
  std::uint32_t take_written() { return std::exchange(written_, 0); }

 private:
  // Whether the ring to a lane has room for a record of this kind.
  bool takes(ShardId to, MailKind kind, std::size_t bytes) const;

  Ends ends_;
  std::uint32_t written_ = 0;
};

// All rings of a node's lanes.
std::vector<Mailbox> make_mailboxes(Arena& arena, std::uint32_t lanes, std::size_t ring_bytes);
std::size_t mailboxes_footprint(std::uint32_t lanes, std::size_t ring_bytes);

}  // namespace starling
