#include "agent/trace_log.h"

#include "agent/addresses.h"
#include "agent/log_limiter.h"
#include "io/errno_text.h"

namespace starling::agent {
namespace {

std::string error_text(const WireError& error) {
  std::string text = error.layer;
  if (error.field[0] != '\0') text += std::string(text.empty() ? "" : ", ") + error.field;
  return text + (text.empty() ? "" : ": ") + std::string(to_text(error.fault));
}

// What went wrong on a stream: an errno or a decoding error.
std::string stream_error(const Event& trace) {
  if (trace.number != 0) return io::errno_text(static_cast<int>(trace.number));
  const std::string error = trace.error.layer[0] == '\0' ? "" : error_text(trace.error);
  if (trace.text.empty()) return error_text(trace.error);
  return std::string(trace.text) + (error.empty() ? "" : " (" + error + ")");
}

bool is_refused_input(TraceKind kind) {
  return kind == TraceKind::packet_dropped || kind == TraceKind::message_dropped ||
         kind == TraceKind::stream_failed || kind == TraceKind::alive_ignored ||
         kind == TraceKind::push_pull_refused || kind == TraceKind::conflict ||
         kind == TraceKind::answer_stray || kind == TraceKind::event_dropped ||
         kind == TraceKind::queue_warning;
}

}  // namespace

TraceLine trace_line(const Event& trace, std::string_view own_name) {
  constexpr LogLevel debug = LogLevel::debug;
  constexpr LogLevel info = LogLevel::info;
  constexpr LogLevel warn = LogLevel::warn;
  constexpr LogLevel err = LogLevel::err;
  const std::string place = format_endpoint(trace.endpoint);
  switch (trace.trace) {
    case TraceKind::probe:
      return {LogLevel::trace, fmt::format("memberlist: Ping {}", trace.name)};
    case TraceKind::probe_acked:
      return {LogLevel::trace, fmt::format("memberlist: Ack from {}, {:.3f} ms", trace.name,
                                           static_cast<double>(trace.number) / 1e6)};
    case TraceKind::probe_indirect:
      return {debug, fmt::format("memberlist: Failed ping: {} (timeout reached)", trace.name)};
    case TraceKind::probe_stream_acked:
      return {warn, fmt::format("memberlist: Was able to connect to {} over TCP but UDP probes "
                                "failed, network may be misconfigured",
                                trace.name)};
    case TraceKind::probe_failed:
      return {info, fmt::format("memberlist: Suspect {} has failed, no acks received", trace.name)};
    case TraceKind::suspect_started:
      return {LogLevel::trace,
              fmt::format("memberlist: {} is suspected (from: {})", trace.name, trace.from)};
    case TraceKind::suspect_confirmed:
      return {LogLevel::trace,
              fmt::format("memberlist: {} is also suspected (from: {})", trace.name, trace.from)};
    case TraceKind::suspect_timed_out:
      return {info,
              fmt::format("memberlist: Marking {} as failed, suspect timeout reached ({} peer "
                          "confirmations)",
                          trace.name, trace.number)};
    case TraceKind::refuted:
      if (!trace.text.empty()) {
        return {warn, fmt::format("memberlist: Refuting a {} message (from: {})", trace.text,
                                  trace.from)};
      }
      return {warn, fmt::format("memberlist: Refuting what was said of us, incarnation is now {}",
                                trace.number)};
    case TraceKind::member_alive:
      return {LogLevel::trace,
              fmt::format("memberlist: {} is alive, incarnation {}", trace.name, trace.number)};
    case TraceKind::member_dead:
      return {LogLevel::trace,
              fmt::format("memberlist: {} is dead (from: {})", trace.name, trace.from)};
    case TraceKind::member_left:
      return {LogLevel::trace, fmt::format("memberlist: {} has left", trace.name)};
    case TraceKind::member_reaped:
      return {LogLevel::trace, fmt::format("memberlist: {} is forgotten", trace.name)};
    case TraceKind::conflict:
      if (trace.name == own_name) {
        return {err, fmt::format("serf: Node name conflicts with another node at {}. Names must be "
                                 "unique!",
                                 place)};
      }
      return {warn, fmt::format("serf: Name conflict for '{}', also claimed at {}{}{}", trace.name,
                                place, trace.text.empty() ? "" : ": ", trace.text)};
    case TraceKind::alive_ignored:
      return {warn, fmt::format("memberlist: Ignoring an alive message for '{}': {}", trace.name,
                                trace.text)};
    case TraceKind::packet_dropped:
      return {err, fmt::format("memberlist: Packet refused, {} from={}", error_text(trace.error),
                               place)};
    case TraceKind::message_dropped:
      return {err, fmt::format("memberlist: Message refused, {} from={}", error_text(trace.error),
                               place)};
    case TraceKind::stream_failed:
      return {warn,
              fmt::format("memberlist: Stream with {} failed: {}", place, stream_error(trace))};
    case TraceKind::sync_ended:
      return {debug, fmt::format("memberlist: Digest sync with {}: {} rows differed, {}", place,
                                 trace.number, trace.text)};
    case TraceKind::push_pull_sent:
      return {debug,
              fmt::format("memberlist: Push/pull sync with: {}, {} nodes", place, trace.number)};
    case TraceKind::push_pull_served:
      return {debug,
              fmt::format("memberlist: Push/pull served from={}, {} nodes", place, trace.number)};
    case TraceKind::push_pull_refused:
      return {err,
              fmt::format("memberlist: Push/pull with {} refused: {}", place, stream_error(trace))};
    case TraceKind::health_changed:
      return {debug, fmt::format("memberlist: Health score is now {}", trace.number)};
    case TraceKind::queue_warning:
      return {warn, fmt::format("serf: {} queue depth: {}", trace.text, trace.number)};
    case TraceKind::intent_refuted:
      return {debug, "serf: Refuting an older leave intent"};
    case TraceKind::event_dropped:
      return {warn,
              fmt::format("serf: received old event {} from time {}", trace.name, trace.number)};
    case TraceKind::query_seen:
      return {debug, fmt::format("serf: messageQueryType: {}", trace.name)};
    case TraceKind::answer_seen:
      return {debug, fmt::format("serf: messageQueryResponseType: {}", trace.from)};
    case TraceKind::answer_stray:
      return {warn,
              fmt::format("serf: {} (LTime: {}, From: {})", trace.text, trace.number, trace.from)};
    case TraceKind::answer_relayed:
      return {debug, fmt::format("serf: Relaying response to addr: {}", place)};
    case TraceKind::flap:
      return {debug, fmt::format("serf: {} came back shortly after it failed", trace.name)};
    case TraceKind::reconnect:
      return {info, fmt::format("serf: attempting reconnect to {} {}", trace.name, place)};
    case TraceKind::query_for_others:
      break;
  }
  return {debug, std::string(to_text(trace.trace))};
}

std::optional<TraceLine> member_line(const Event& event, bool was_failed) {
  if (!event.change) return std::nullopt;
  const std::string place = format_address(event.endpoint.address);
  switch (*event.change) {
    case MemberEventKind::join:
      return TraceLine{LogLevel::info,
                       fmt::format("serf: EventMemberJoin: {} {}", event.name, place)};
    case MemberEventKind::leave:
      return TraceLine{LogLevel::info,
                       fmt::format("serf: EventMemberLeave{}: {} {}", was_failed ? " (forced)" : "",
                                   event.name, place)};
    case MemberEventKind::failed:
      return TraceLine{LogLevel::info,
                       fmt::format("serf: EventMemberFailed: {} {}", event.name, place)};
    case MemberEventKind::update:
      return TraceLine{LogLevel::info, fmt::format("serf: EventMemberUpdate: {}", event.name)};
    case MemberEventKind::reap:
      return TraceLine{LogLevel::info, fmt::format("serf: EventMemberReap: {}", event.name)};
  }
  return std::nullopt;
}

unsigned lines_per_second(TraceKind kind) {
  return is_refused_input(kind) ? LogLimiter::refused_lines_max : LogLimiter::told_lines_max;
}

}  // namespace starling::agent
