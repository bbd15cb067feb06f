// Events: everything a lane reports to its owner. Values that travel through a byte ring.
//
// The owner of the engine holds the EventReader. Member events carry the whole row, so that a
// reader can keep a mirror of the member list from them alone; a row that could not be reported
// because the ring was full is reported later, as one event with its newest content. Traces are for
// logs and for the simulator: they may be lost (counted), nothing depends on them.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "core/base/ring.h"
#include "core/base/time.h"
#include "core/serf/member_event.h"
#include "core/shard/counters.h"
#include "wire/base/types.h"

namespace starling {

// How a command ended.
enum class CommandResult : std::uint8_t {
  ok,
  refused,     // connection refused, reset or unreachable: `number` is the errno
  timed_out,   // no answer within the deadline
  peer_error,  // the peer answered with an error: `text`
  bad_answer,  // the peer's answer could not be decoded: `error`
  versions,    // protocol versions do not overlap
  not_alive,   // join after leave or shutdown
  leave_in_progress,
  already_left,
  broadcast_timeout,  // the broadcast was not sent out in time
  too_large,          // `number` is the limit, `text` Serf's sentence
  not_hosted,         // no hosted member has this name
  name_taken,         // another member is alive under this name
  no_capacity,        // a bound of CapacityOptions is reached: `text` names it
  key_refused,        // the keyring stays as it is: `text` says why
  already_answered,   // respond: one answer for each query
  too_late,           // respond: past the query's deadline, or forgotten among newer ones
};
std::string_view to_text(CommandResult result);

// What happened inside, for logs and traces. Names in capitals of the field: see to_text.
enum class TraceKind : std::uint8_t {
  probe,               // a ping was sent to `name`
  probe_acked,         // `number`: round trip in ns
  probe_indirect,      // no direct ack from `name`: `number` relays asked
  probe_stream_acked,  // only the stream ping of `name` was answered
  probe_failed,        // `name` answered nothing
  suspect_started,     // `name` suspected by `from`; `number` incarnation
  suspect_confirmed,   // a further accuser `from` of `name`
  suspect_timed_out,   // declared dead here; `number`: confirmations
  refuted,             // we answered an accusation; `number`: our new incarnation
  member_alive,        // swim state of `name` became alive; `number` incarnation
  member_dead,         // ... dead, said by `from`
  member_left,         // ... left
  member_reaped,       // `name` dropped from the node list
  conflict,            // `name` also claimed at `endpoint`
  alive_ignored,       // versions out of order, address not allowed, capacity reached
  packet_dropped,      // `error`, from `endpoint`
  message_dropped,     // `error`, from `endpoint`
  stream_failed,       // `error` or `number` (errno), with `endpoint`
  push_pull_sent,      // an exchange with `endpoint` finished; `number`: nodes received
  push_pull_served,
  push_pull_refused,  // the merge was refused: `text` says why
  sync_ended,        // an exchange by digests with `endpoint` is over; `number`: rows that differed
  health_changed,    // `number`: the new health score
  queue_warning,     // `text`: which queue; `number`: its depth
  intent_refuted,    // an older leave intent about us was answered by a join intent
  event_dropped,     // a user event was too old; `number` its time
  query_seen,        // a query passed by (re-broadcast); `name`
  answer_seen,       // an ack or a response came from `from`
  answer_stray,      // ... to a query that we did not ask, or not so: `text`; `number`: its time
  answer_relayed,    // one for somebody else was passed on to `endpoint`
  flap,              // `name` came back shortly after failing
  reconnect,         // trying a failed member again
  query_for_others,  // the query that was seen last, `name`, is for nobody hosted here
};
std::string_view to_text(TraceKind kind);
// Its bit in a TraceSet.
constexpr std::uint64_t trace_bit(TraceKind kind) {
  return std::uint64_t{1} << static_cast<unsigned>(kind);
}

struct Event {
  enum class Kind : std::uint8_t {
    member,
    user,
    done,
    stats,
    trace,
    query,           // one has reached this engine and is for it, or may be: see `filter_count`
    query_ack,       // `from` has received the query that command `token` asked
    query_response,  // `from` answers it with `payload`
    query_done,      // its deadline has passed: nothing more comes
    conflict,        // `name`, hosted here, is claimed by another node at `endpoint`
  };
  Kind kind{};
  Instant at{};

  // member: what changed, and the whole row. `change` is nullopt when only the status or the clock
  // moved (alive to leaving), which Serf reports to nobody but shows in its member list.
  std::optional<MemberEventKind> change;
  MemberStatus status = MemberStatus::none;
  LamportTime time{};  // member: status time; user, query: the event's time
  Endpoint endpoint;   // member, trace, query, conflict
  Versions versions;
  std::string_view name;  // member, user, trace, query, conflict
  Bytes payload;  // member: meta; user, query, query_response: payload; done: what Command says

  bool coalesce = false;  // user

  std::uint64_t token = 0;  // done, stats, query_ack, query_response, query_done
  CommandResult result = CommandResult::ok;
  std::uint64_t number = 0;  // done, trace, query
  std::string_view text;     // done, trace
  WireError error;           // done with bad_answer; trace

  TraceKind trace{};
  std::string_view from;  // trace, query_ack, query_response; query: the member that asked

  // query, with `number` naming it for respond and acknowledge, `time`, `name`, `payload` and
  // `endpoint`, where answers go. A filter by tags is not judged in the engine: then filter_count
  // is not zero, `filters` are the query's as they came, and the owner must judge them for each
  // hosted member, send the acks (flag_ack) that are due, and answer only if they let it.
  std::uint32_t id = 0;
  std::uint32_t flags = 0;  // Query::flag_*
  Instant deadline{};
  Bytes filters;
  std::uint32_t filter_count = 0;

  Stats stats;  // stats
};

// The lane's end. Members must get through, so the lane learns when the ring is full.
class EventWriter {
 public:
  explicit EventWriter(RingWriter ring) : ring_(std::move(ring)) {}
  bool send(const Event& event);
  // Whether anything was sent since the last call.
  bool take_sent() { return std::exchange(sent_, false); }
  // True while about a quarter of the ring is free: traces stop before members do.
  bool roomy() const;

 private:
  RingWriter ring_;
  bool sent_ = false;
};

// Decodes a record made by EventWriter. The views point into the record.
Event decode_event(Bytes record);

// The owner's end.
class EventReader {
 public:
  explicit EventReader(RingReader ring) { rings_.push_back(std::move(ring)); }
  // One ring for each lane of the engine.
  explicit EventReader(std::vector<RingReader> rings) : rings_(std::move(rings)) {}

  // Calls on_event(const Event&) for at most `events_max` events; how many there were. Events about
  // one member come in order; those of different lanes interleave as they like.
  template <class OnEvent>
  std::size_t drain(std::size_t events_max, OnEvent&& on_event) {
    std::size_t drained = 0;
    for (std::size_t i = 0; i < rings_.size() && drained < events_max; ++i) {
      RingReader& ring = rings_[(first_ + i) % rings_.size()];
      drained +=
          ring.drain(events_max - drained, [&](Bytes record) { on_event(decode_event(record)); });
    }
    first_ = (first_ + 1) % rings_.size();  // so that a busy lane does not hide the others
    return drained;
  }

 private:
  std::vector<RingReader> rings_;
  std::size_t first_ = 0;
};

}  // namespace starling
