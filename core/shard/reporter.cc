#include "core/shard/reporter.h"

namespace starling {

namespace {
// Pending codes: 0 nothing, 1 status only, 2 + MemberEventKind otherwise.
constexpr std::uint8_t status_only = 1;
constexpr std::uint8_t code_of(std::optional<MemberEventKind> change) {
  return change ? static_cast<std::uint8_t>(2 + static_cast<std::uint8_t>(*change)) : status_only;
}
constexpr std::optional<MemberEventKind> change_of(std::uint8_t code) {
  if (code == status_only) return std::nullopt;
  return static_cast<MemberEventKind>(code - 2);
}
}  // namespace

Reporter::Reporter(Arena& arena, std::uint32_t members_max, EventWriter events)
    : events_(std::move(events)),
      pending_(arena.make<std::uint8_t>(members_max)),
      queue_(arena.make<Slot>(members_max)) {}

bool Reporter::send_row(Instant now, const MemberTable& members, const SerfMembers& serf, Slot slot,
                        std::optional<MemberEventKind> change) {
  Event event;
  event.kind = Event::Kind::member;
  event.at = now;
  event.change = change;
  event.status = serf.status(slot);
  event.time = serf.status_time(slot);
  event.endpoint = members.endpoint(slot);
  event.versions = members.versions(slot);
  event.name = members.name(slot);
  event.payload = members.meta(slot);
  return events_.send(event);
}

void Reporter::member(Instant now, const MemberTable& members, const SerfMembers& serf, Slot slot,
                      std::optional<MemberEventKind> change, Counters& counters) {
  std::uint8_t& pending = pending_[static_cast<std::size_t>(slot)];
  if (pending == 0 && queue_count_ == 0 && send_row(now, members, serf, slot, change)) return;
  // A status-only change must not hide a change that the owner has not seen yet.
  if (pending == 0 || change.has_value()) {
    const bool queued = pending != 0;
    pending = code_of(change);
    if (queued) return;
  } else {
    return;
  }
  queue_[(queue_head_ + queue_count_) % queue_.size()] = slot;
  ++queue_count_;
  ++counters.events_deferred;
}

void Reporter::flush(Instant now, const MemberTable& members, const SerfMembers& serf) {
  while (queue_count_ > 0) {
    const Slot slot = queue_[queue_head_];
    std::uint8_t& pending = pending_[static_cast<std::size_t>(slot)];
    if (!send_row(now, members, serf, slot, change_of(pending))) return;
    pending = 0;
    queue_head_ = (queue_head_ + 1) % static_cast<std::uint32_t>(queue_.size());
    --queue_count_;
  }
}

void Reporter::done(Instant now, std::uint64_t token, CommandResult result, std::uint64_t number,
                    std::string_view text, const WireError& error) {
  if (token == 0) return;
  Event event;
  event.kind = Event::Kind::done;
  event.at = now;
  event.token = token;
  event.result = result;
  event.number = number;
  event.text = text;
  event.error = error;
  events_.send(event);
}

void Reporter::trace(Instant now, TraceKind kind, const TraceDetails& details, Counters& counters) {
  if ((traces_ & trace_bit(kind)) == 0) return;
  if (!events_.roomy()) {
    ++counters.traces_lost;
    return;
  }
  Event event;
  event.kind = Event::Kind::trace;
  event.at = now;
  event.trace = kind;
  event.name = details.name;
  event.from = details.from;
  event.endpoint = details.endpoint;
  event.number = details.number;
  event.text = details.text;
  event.error = details.error;
  events_.send(event);
}

}  // namespace starling
