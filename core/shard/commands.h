// Commands: what the owner of an engine asks of a lane. Values that travel through a byte ring.
//
// The control thread (or the embedder, or the simulator) holds the CommandWriter and the lane
// drains the other end in poll(). Every command with a nonzero token is answered by exactly one
// Event::Kind::done with that token, at once or when the work has ended.
#pragma once

#include <optional>

#include "core/base/ring.h"
#include "core/base/time.h"
#include "wire/base/types.h"

namespace starling {

struct Command {
  enum class Kind : std::uint8_t {
    join,         // push/pull with `endpoint` as a join; `name` may be empty
    announce,     // broadcast a join intent (Serf does after a join that reached somebody)
    leave,        // graceful leave of every hosted member; done after the propagate delay
    force_leave,  // `name`, `prune`
    set_meta,     // `payload` is the encoded metadata; `name`: of which hosted member, or empty
    user_event,   // `name`, `payload`, `coalesce`
    host,         // take in a member: `name`, `endpoint`, and `payload`, its encoded metadata
    unhost,       // a hosted member `name` leaves; done when it has left, then its place is free
    abandon,      // a hosted member `name` ends without a word, as if its machine had died
    stats,        // answered by Event::Kind::stats instead of done
    coordinate,   // of member `name`: done, with a payload as acks carry it, or none if unknown
    explain,      // why member `name` is what it is: done, with a payload, see explain.h
    install_key,  // `payload`: a key of 16, 24 or 32 bytes, to be understood from now on
    use_key,      // `payload`: a known key, to encrypt with; see core/shard/rekey.h
    remove_key,   // `payload`: a key that is not understood any more
    query,        // ask the cluster: `name`, `payload`, `filters`, `timeout`, `want_acks`,
                  // `relay_factor`, `flags`; done when it is on its way, then query_* events with
                  // this token until query_done
    respond,      // answer the seen query `query` with `payload`, for the hosted member `name` (a
                  // query without filters only), or without a name for the engine's first
    acknowledge,  // a hosted member `name` acks the seen query `query`: its filters let it
  };
  Kind kind{};
  std::uint64_t token = 0;
  Endpoint endpoint;
  std::string_view name;
  Bytes payload;
  bool prune = false;
  bool coalesce = false;
  bool announce = false;    // join: broadcast the join intent on success
  bool ignore_old = false;  // join: skip user events older than this join

  // query: encoded elements, as write_filters makes them, and how many they are.
  Bytes filters;
  std::uint32_t filter_count = 0;
  Duration timeout{};  // query: zero or less: by Serf's formula
  bool want_acks = false;
  std::uint8_t relay_factor = 0;
  std::uint32_t flags = 0;  // query: further Query::flag_* bits

  std::uint64_t query = 0;  // respond, acknowledge: Event::number of the query event
};

// The control side's end. Move-only; one thread holds it.
class CommandWriter {
 public:
  explicit CommandWriter(RingWriter ring) : ring_(std::move(ring)) {}
  // False when the ring is full: nothing was sent, try again after the lane has turned.
  bool send(const Command& command);

 private:
  RingWriter ring_;
};

// Decodes a record made by CommandWriter. The views point into the record.
Command decode_command(Bytes record);

}  // namespace starling
