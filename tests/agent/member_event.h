// Member events as an engine reports them, for tests of what keeps or shows members.
#pragma once

#include <string_view>

#include "core/shard/events.h"

namespace starling::agent {

// At 127.0.0.1:7946 with the tag role=web. The name must outlive the event.
inline Event member_event(std::string_view name, MemberStatus status,
                          std::optional<MemberEventKind> change) {
  using namespace std::string_view_literals;
  Event event;
  event.kind = Event::Kind::member;
  event.name = name;
  event.status = status;
  event.change = change;
  event.endpoint = {IpAddress::v4(127, 0, 0, 1), 7946};
  event.payload = as_bytes("\xff\x81\xa4role\xa3web"sv);
  return event;
}
inline Event joined(std::string_view name) {
  return member_event(name, MemberStatus::alive, MemberEventKind::join);
}
inline Event reaped(std::string_view name) {
  return member_event(name, MemberStatus::left, MemberEventKind::reap);
}

}  // namespace starling::agent
