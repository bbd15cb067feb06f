// Serf's member status: what each input makes of it, as pure functions.
//
// protocol/serf section 6. Serf does not look at memberlist's own left/dead distinction: a member
// that memberlist reports gone has left only if a leave intent said so, before or after. No table,
// no clock, no output: small enough to test every combination.
#pragma once

#include <optional>

#include "core/serf/member_event.h"
#include "wire/base/types.h"

namespace starling {

// Join and leave intents; also what is remembered for names that are not members yet.
enum class IntentKind : std::uint8_t { join, leave };

// What a transition does to the lists of failed and left members.
enum class ListMove : std::uint8_t { none, to_failed, to_left, out };

// What a transition does to the instant since which a member has been gone.
enum class GoneMark : std::uint8_t { keep, set, clear };

struct Transition {
  MemberStatus status = MemberStatus::none;  // the status afterwards
  std::optional<MemberEventKind> event;
  ListMove move = ListMove::none;
  GoneMark gone = GoneMark::keep;
  bool applies = true;  // false: an input that makes no sense in this status, to be ignored

  friend constexpr bool operator==(const Transition&, const Transition&) = default;
};

// An intent counts only if it is newer than the last one applied to the member.
constexpr bool is_news(LamportTime intent, LamportTime status_time) {
  return status_time < intent;
}

// memberlist reports the member alive. `recent` is what was heard of a name that was not a member;
// it does not touch members already known.
constexpr Transition on_joined(MemberStatus status, std::optional<IntentKind> recent) {
  const bool leaves = status == MemberStatus::none && recent == IntentKind::leave;
  const bool was_gone = status == MemberStatus::failed || status == MemberStatus::left;
  return {.status = leaves ? MemberStatus::leaving : MemberStatus::alive,
          .event = MemberEventKind::join,
          .move = was_gone ? ListMove::out : ListMove::none,
          .gone = GoneMark::clear};
}

// memberlist reports the member dead or left; Serf treats both alike.
constexpr Transition on_gone(MemberStatus status) {
  if (status == MemberStatus::leaving) {
    return {.status = MemberStatus::left,
            .event = MemberEventKind::leave,
            .move = ListMove::to_left,
            .gone = GoneMark::set};
  }
  if (status == MemberStatus::alive) {
    return {.status = MemberStatus::failed,
            .event = MemberEventKind::failed,
            .move = ListMove::to_failed,
            .gone = GoneMark::set};
  }
  return {.status = status, .event = std::nullopt, .applies = false};
}

// A leave intent newer than the status time, for a member that may not refute it.
constexpr Transition on_leave_intent(MemberStatus status) {
  if (status == MemberStatus::alive) {
    return {.status = MemberStatus::leaving, .event = std::nullopt};
  }
  if (status == MemberStatus::failed) {
    return {
        .status = MemberStatus::left, .event = MemberEventKind::leave, .move = ListMove::to_left};
  }
  return {.status = status, .event = std::nullopt, .applies = status != MemberStatus::none};
}

// A join intent newer than the status time. It never brings back a left or failed member.
constexpr Transition on_join_intent(MemberStatus status) {
  if (status == MemberStatus::leaving) {
    return {.status = MemberStatus::alive, .event = std::nullopt};
  }
  return {.status = status, .event = std::nullopt, .applies = status != MemberStatus::none};
}

}  // namespace starling
