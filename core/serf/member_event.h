// The kinds of member events that Serf reports. protocol/serf section 6.
#pragma once

#include <cstdint>
#include <string_view>

namespace starling {

enum class MemberEventKind : std::uint8_t { join, leave, failed, update, reap };

// Serf's own words: "member-join", "member-leave", "member-failed", "member-update", "member-reap".
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
  return "";
}

}  // namespace starling
