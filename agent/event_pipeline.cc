#include "agent/event_pipeline.h"

#include <algorithm>

namespace starling::agent {

EventPipeline::EventPipeline(EventLoop& loop, Sink sink, Limits limits)
    : loop_(loop),
      sink_(std::move(sink)),
      members_(limits.periods, {.members_max = limits.members_max}),
      users_(limits.periods, limits.user_events_max) {}

EventPipeline::~EventPipeline() {
  loop_.cancel(timer_);
}

void EventPipeline::member(MemberEventKind change, MemberInfo member) {
  const std::string name = member.name;
  const Instant now = EventLoop::now();
  if (!members_.add(change, name, member, now)) {
    flush_members();
    members_.add(change, name, std::move(member), now);
  }
  schedule();
}

void EventPipeline::user(HandlerEvent event, bool coalesce) {
  if (!coalesce) return sink_(event, false);
  const std::string name = event.name;
  const LamportTime time = event.time;
  const Instant now = EventLoop::now();
  if (!users_.add(time, name, event, now)) {
    flush_users();
    users_.add(time, name, std::move(event), now);
  }
  schedule();
}

void EventPipeline::flush_members() {
  members_.flush([&](MemberEventKind change, std::vector<MemberInfo>&& members) {
    HandlerEvent event;
    event.kind = HandlerEvent::Kind::member;
    event.change = change;
    event.members = std::move(members);
    sink_(event, false);
  });
}

void EventPipeline::flush_users() {
  users_.flush([&](HandlerEvent&& event) { sink_(event, true); });
}

void EventPipeline::flush() {
  flush_members();
  flush_users();
  schedule();
}

void EventPipeline::schedule() {
  loop_.cancel(timer_);
  timer_ = 0;
  const auto member_due = members_.due();
  const auto user_due = users_.due();
  if (!member_due && !user_due) return;
  const Instant due =
      std::min(member_due.value_or(Instant::max()), user_due.value_or(Instant::max()));
  timer_ = loop_.at(due, [this] {
    timer_ = 0;
    const Instant now = EventLoop::now();
    if (const auto at = members_.due(); at && *at <= now) flush_members();
    if (const auto at = users_.due(); at && *at <= now) flush_users();
    schedule();
  });
}

}  // namespace starling::agent
