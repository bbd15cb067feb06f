#include "agent/member_history.h"

#include <algorithm>

#include <fmt/format.h>

namespace starling::agent {
namespace {

void note(MemberHistory::Member& member, Instant at, std::string text) {
  if (member.happenings.size() == MemberHistory::events_max) {
    member.happenings.pop_front();
    ++member.dropped;
  }
  member.happenings.push_back({at, std::move(text)});
}

void accuse(MemberHistory::Suspicion& suspicion, std::string_view from) {
  const auto same = std::ranges::find(suspicion.accusers, from);
  if (same != suspicion.accusers.end()) return;
  if (suspicion.accusers.size() == MemberHistory::accusers_max) return;
  suspicion.accusers.emplace_back(from);
}

std::string change_text(MemberEventKind change) {
  switch (change) {
    case MemberEventKind::join:
      return "joined";
    case MemberEventKind::leave:
      return "left";
    case MemberEventKind::failed:
      return "failed";
    case MemberEventKind::update:
      return "changed its tags or address";
    case MemberEventKind::reap:
      return "was forgotten";
  }
  return "";
}

}  // namespace

MemberHistory::Member& MemberHistory::touch(std::string_view name) {
  if (const auto at = members_.find(name); at != members_.end()) {
    names_.splice(names_.begin(), names_, at->second.place);
    return at->second.member;
  }
  if (members_.size() == names_max) {
    members_.erase(names_.back());
    names_.pop_back();
  }
  names_.emplace_front(name);
  Entry& entry = members_[std::string(name)];
  entry.place = names_.begin();
  return entry.member;
}

const MemberHistory::Member* MemberHistory::find(std::string_view name) const {
  const auto at = members_.find(name);
  return at == members_.end() ? nullptr : &at->second.member;
}

std::vector<std::pair<std::string_view, const MemberHistory::Suspicion*>> MemberHistory::suspicions(
    std::size_t most) const {
  std::vector<std::pair<std::string_view, const Suspicion*>> running;
  for (const auto& [name, entry] : members_) {
    if (running.size() == most) break;
    if (entry.member.suspicion) running.emplace_back(name, &*entry.member.suspicion);
  }
  return running;
}

void MemberHistory::apply(const Event& event) {
  if (event.kind == Event::Kind::trace) return on_trace(event);
  if (event.kind != Event::Kind::member) return;
  if (event.change) {
    note(touch(event.name), event.at, change_text(*event.change));
  } else if (event.status == MemberStatus::leaving) {
    note(touch(event.name), event.at,
         fmt::format("said that it leaves, at time {}", to_number(event.time)));
  } else if (event.status == MemberStatus::alive) {
    note(touch(event.name), event.at, "is alive after it said that it leaves");
  }
}

void MemberHistory::on_trace(const Event& trace) {
  // Only those below say something about the member that they name.
  switch (trace.trace) {
    case TraceKind::probe_acked: {
      const Duration trip(static_cast<std::int64_t>(trace.number));
      touch(trace.name).probe = Probe{trace.at, "acked", trip};
      return;
    }
    case TraceKind::probe_indirect:
      return note(touch(trace.name), trace.at,
                  fmt::format("did not ack a probe in time, {} others asked", trace.number));
    case TraceKind::probe_stream_acked: {
      Member& member = touch(trace.name);
      member.probe = Probe{trace.at, "acked over a stream", std::nullopt};
      return note(member, trace.at, "acked a probe only over a stream");
    }
    case TraceKind::probe_failed: {
      Member& member = touch(trace.name);
      member.probe = Probe{trace.at, "unanswered", std::nullopt};
      return note(member, trace.at, "a probe was not answered");
    }
    case TraceKind::suspect_started: {
      Member& member = touch(trace.name);
      member.suspicion = Suspicion{trace.at, trace.number, {}};
      accuse(*member.suspicion, trace.from);
      return note(member, trace.at,
                  fmt::format("suspected by {}, incarnation {}", trace.from, trace.number));
    }
    case TraceKind::suspect_confirmed: {
      Member& member = touch(trace.name);
      // The beginning may have been lost.
      if (!member.suspicion) member.suspicion = Suspicion{trace.at, 0, {}};
      accuse(*member.suspicion, trace.from);
      return note(member, trace.at, fmt::format("also suspected by {}", trace.from));
    }
    case TraceKind::suspect_timed_out: {
      Member& member = touch(trace.name);
      member.suspicion.reset();
      return note(member, trace.at,
                  fmt::format("the suspicion has run out, {} others confirmed", trace.number));
    }
    case TraceKind::refuted: {
      Member& member = touch(trace.name);
      member.suspicion.reset();
      return note(member, trace.at,
                  fmt::format("refuted an accusation, incarnation {}", trace.number));
    }
    case TraceKind::member_alive: {
      Member& member = touch(trace.name);
      member.suspicion.reset();
      member.death.reset();
      return note(member, trace.at, fmt::format("is alive, incarnation {}", trace.number));
    }
    case TraceKind::member_dead:
    case TraceKind::member_left: {
      Member& member = touch(trace.name);
      member.suspicion.reset();
      member.death = Death{trace.at, std::string(trace.from), trace.number};
      return note(
          member, trace.at,
          trace.trace == TraceKind::member_left
              ? fmt::format("has left, incarnation {}", trace.number)
              : fmt::format("declared dead by {}, incarnation {}", trace.from, trace.number));
    }
    case TraceKind::member_reaped: {
      Member& member = touch(trace.name);
      member.suspicion.reset();
      return note(member, trace.at, "dropped from the node list");
    }
    case TraceKind::conflict:
      return note(touch(trace.name), trace.at, "its name was also claimed at another address");
    case TraceKind::flap:
      return note(touch(trace.name), trace.at, "came back shortly after it failed");
    case TraceKind::reconnect:
      return note(touch(trace.name), trace.at, "a connection was tried again");
    default:
      return;
  }
}

}  // namespace starling::agent
