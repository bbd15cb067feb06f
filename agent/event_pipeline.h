// From what the engine reports to what handlers and streams see: coalescing, then one sink.
//
// protocol/serf section 13. Member events and user events that allow it wait for their coalescing
// period; the others pass at once and may overtake. Owned by the agent, control thread only.
#pragma once

#include <functional>

#include "agent/event_loop.h"
#include "agent/handler_event.h"
#include "core/serf/coalesce.h"

namespace starling::agent {

class EventPipeline {
 public:
  // `coalesce` tells whether a user event allowed it.
  using Sink = std::function<void(const HandlerEvent& event, bool coalesce)>;
  struct Limits {
    CoalescePeriods periods;
    std::size_t members_max = 1024;
    std::size_t user_events_max = 1024;
  };

  EventPipeline(EventLoop& loop, Sink sink, Limits limits);
  ~EventPipeline();
  EventPipeline(const EventPipeline&) = delete;
  EventPipeline& operator=(const EventPipeline&) = delete;

  void member(MemberEventKind change, MemberInfo member);
  void user(HandlerEvent event, bool coalesce);
  // Everything that waits, now.
  void flush();

 private:
  void flush_members();
  void flush_users();
  void schedule();

  EventLoop& loop_;
  Sink sink_;
  MemberCoalescer<MemberInfo> members_;
  UserCoalescer<HandlerEvent> users_;
  EventLoop::TimerId timer_ = 0;
};

}  // namespace starling::agent
