// The kinds of member events that Serf reports, and their names on the wire and in scripts.
//
// protocol/serf sections 6, 16.4 and 17. A value; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

namespace starling {

// Only append: traces and counters use the numbers.
enum class MemberEventKind : std::uint8_t { join = 0, leave = 1, failed = 2, update = 3, reap = 4 };

inline constexpr std::size_t member_event_kinds = 5;

constexpr std::string_view to_text(MemberEventKind kind) {
  switch (kind) {
    case MemberEventKind::join:
      return "member-join";
    case MemberEventKind::leave:
      return "member-leave";
    case MemberEventKind::failed:
      return "member-failed";
    case MemberEventKind::update:
      return "member-update";
    case MemberEventKind::reap:
      return "member-reap";
  }
  std::unreachable();
}

}  // namespace starling
