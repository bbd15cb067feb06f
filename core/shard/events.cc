#include "core/shard/events.h"

#include <type_traits>
#include <utility>

#include "core/shard/record.h"

namespace starling {

namespace {

// What does not vary in length. The variable parts follow: name, payload, from, text, filters,
// stats.
struct EventHeader {
  Event::Kind kind;
  bool has_change;
  MemberEventKind change;
  MemberStatus status;
  bool coalesce;
  CommandResult result;
  TraceKind trace;
  Instant at;
  LamportTime time;
  Endpoint endpoint;
  Versions versions;
  std::uint64_t token;
  std::uint64_t number;
  Instant deadline;
  std::uint32_t id, flags, filter_count, filter_bytes;
  WireError error;  // its texts are static strings of this process
  std::uint32_t name_bytes, payload_bytes, from_bytes, text_bytes;
};

Bytes stats_bytes(const Event& event) {
  static_assert(std::is_trivially_copyable_v<Stats>);
  if (event.kind != Event::Kind::stats) return {};
  return std::as_bytes(std::span(&event.stats, 1));
}

}  // namespace

bool EventWriter::send(const Event& event) {
  const EventHeader header{.kind = event.kind,
                           .has_change = event.change.has_value(),
                           .change = event.change.value_or(MemberEventKind::join),
                           .status = event.status,
                           .coalesce = event.coalesce,
                           .result = event.result,
                           .trace = event.trace,
                           .at = event.at,
                           .time = event.time,
                           .endpoint = event.endpoint,
                           .versions = event.versions,
                           .token = event.token,
                           .number = event.number,
                           .deadline = event.deadline,
                           .id = event.id,
                           .flags = event.flags,
                           .filter_count = event.filter_count,
                           .filter_bytes = static_cast<std::uint32_t>(event.filters.size()),
                           .error = event.error,
                           .name_bytes = static_cast<std::uint32_t>(event.name.size()),
                           .payload_bytes = static_cast<std::uint32_t>(event.payload.size()),
                           .from_bytes = static_cast<std::uint32_t>(event.from.size()),
                           .text_bytes = static_cast<std::uint32_t>(event.text.size())};
  const bool written = write_record(ring_, header,
                                    {as_bytes(event.name), event.payload, as_bytes(event.from),
                                     as_bytes(event.text), event.filters, stats_bytes(event)});
  sent_ |= written;
  return written;
}

bool EventWriter::roomy() const {
  return ring_.room() > ring_.record_bytes_max() / 2;
}

Event decode_event(Bytes record) {
  RecordParts<EventHeader> parts(record);
  const EventHeader& header = parts.header;
  Event event;
  event.kind = header.kind;
  event.at = header.at;
  if (header.has_change) event.change = header.change;
  event.status = header.status;
  event.time = header.time;
  event.endpoint = header.endpoint;
  event.versions = header.versions;
  event.coalesce = header.coalesce;
  event.token = header.token;
  event.result = header.result;
  event.number = header.number;
  event.error = header.error;
  event.deadline = header.deadline;
  event.id = header.id;
  event.flags = header.flags;
  event.filter_count = header.filter_count;
  event.trace = header.trace;
  event.name = as_text(parts.take(header.name_bytes));
  event.payload = parts.take(header.payload_bytes);
  event.from = as_text(parts.take(header.from_bytes));
  event.text = as_text(parts.take(header.text_bytes));
  event.filters = parts.take(header.filter_bytes);
  if (event.kind == Event::Kind::stats) {
    const Bytes stats = parts.take(sizeof(Stats));
    std::memcpy(&event.stats, stats.data(), stats.size());
  }
  return event;
}

std::string_view to_text(CommandResult result) {
  switch (result) {
    case CommandResult::ok:
      return "ok";
    case CommandResult::refused:
      return "connection failed";
    case CommandResult::timed_out:
      return "timed out";
    case CommandResult::peer_error:
      return "the peer answered with an error";
    case CommandResult::bad_answer:
      return "the peer's answer cannot be decoded";
    case CommandResult::versions:
      return "protocol versions do not overlap";
    case CommandResult::not_alive:
      return "not possible after leave or shutdown";
    case CommandResult::leave_in_progress:
      return "leave already in progress";
    case CommandResult::already_left:
      return "already left";
    case CommandResult::broadcast_timeout:
      return "timeout while waiting for the broadcast";
    case CommandResult::too_large:
      return "too large";
    case CommandResult::not_hosted:
      return "no hosted member has this name";
    case CommandResult::name_taken:
      return "another member is alive under this name";
    case CommandResult::key_refused:
      return "key refused";
    case CommandResult::no_capacity:
      return "capacity reached";
    case CommandResult::already_answered:
      return "response already sent";
    case CommandResult::too_late:
      return "response is past the deadline";
  }
  std::unreachable();
}

std::string_view to_text(TraceKind kind) {
  switch (kind) {
    case TraceKind::probe:
      return "probe";
    case TraceKind::probe_acked:
      return "probe-acked";
    case TraceKind::probe_indirect:
      return "probe-indirect";
    case TraceKind::probe_stream_acked:
      return "probe-stream-acked";
    case TraceKind::probe_failed:
      return "probe-failed";
    case TraceKind::suspect_started:
      return "suspect-started";
    case TraceKind::suspect_confirmed:
      return "suspect-confirmed";
    case TraceKind::suspect_timed_out:
      return "suspect-timed-out";
    case TraceKind::refuted:
      return "refuted";
    case TraceKind::member_alive:
      return "member-alive";
    case TraceKind::member_dead:
      return "member-dead";
    case TraceKind::member_left:
      return "member-left";
    case TraceKind::member_reaped:
      return "member-reaped";
    case TraceKind::conflict:
      return "conflict";
    case TraceKind::alive_ignored:
      return "alive-ignored";
    case TraceKind::packet_dropped:
      return "packet-dropped";
    case TraceKind::message_dropped:
      return "message-dropped";
    case TraceKind::stream_failed:
      return "stream-failed";
    case TraceKind::push_pull_sent:
      return "push-pull-sent";
    case TraceKind::push_pull_served:
      return "push-pull-served";
    case TraceKind::push_pull_refused:
      return "push-pull-refused";
    case TraceKind::sync_ended:
      return "sync-ended";
    case TraceKind::health_changed:
      return "health-changed";
    case TraceKind::queue_warning:
      return "queue-warning";
    case TraceKind::intent_refuted:
      return "intent-refuted";
    case TraceKind::event_dropped:
      return "event-dropped";
    case TraceKind::query_seen:
      return "query-seen";
    case TraceKind::answer_seen:
      return "answer-seen";
    case TraceKind::answer_stray:
      return "answer-stray";
    case TraceKind::answer_relayed:
      return "answer-relayed";
    case TraceKind::flap:
      return "flap";
    case TraceKind::reconnect:
      return "reconnect";
    case TraceKind::query_for_others:
      return "query-for-others";
  }
  std::unreachable();
}

}  // namespace starling
