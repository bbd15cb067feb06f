#include "core/serf/status_rules.h"

#include <gtest/gtest.h>

#include <array>

namespace starling {
namespace {

using enum MemberStatus;

constexpr std::array statuses = {none, alive, leaving, left, failed};

// The lists follow the status: a member is in the list of its status and in no other.
ListMove move_between(MemberStatus before, MemberStatus after) {
  if (before == after) return ListMove::none;
  if (after == failed) return ListMove::to_failed;
  if (after == left) return ListMove::to_left;
  return before == failed || before == left ? ListMove::out : ListMove::none;
}

TEST(StatusRules, JoinedMakesAliveFromAnyStatus) {
  for (const MemberStatus status : statuses) {
    for (const auto recent : {std::optional<IntentKind>(), std::optional(IntentKind::join),
                              std::optional(IntentKind::leave)}) {
      const Transition transition = on_joined(status, recent);
      const bool leaves = status == none && recent == IntentKind::leave;
      EXPECT_EQ(transition.status, leaves ? leaving : alive);
      EXPECT_EQ(transition.event, MemberEventKind::join);
      EXPECT_EQ(transition.gone, GoneMark::clear);
      EXPECT_EQ(transition.move, move_between(status, transition.status));
      EXPECT_TRUE(transition.applies);
    }
  }
}

TEST(StatusRules, GoneDependsOnTheLeaveIntent) {
  EXPECT_EQ(on_gone(leaving), (Transition{.status = left,
                                          .event = MemberEventKind::leave,
                                          .move = ListMove::to_left,
                                          .gone = GoneMark::set}));
  EXPECT_EQ(on_gone(alive), (Transition{.status = failed,
                                        .event = MemberEventKind::failed,
                                        .move = ListMove::to_failed,
                                        .gone = GoneMark::set}));
  for (const MemberStatus status : {none, left, failed}) {
    EXPECT_EQ(on_gone(status),
              (Transition{.status = status, .event = std::nullopt, .applies = false}));
  }
}

TEST(StatusRules, LeaveIntentOfEveryStatus) {
  EXPECT_EQ(on_leave_intent(alive), (Transition{.status = leaving, .event = std::nullopt}));
  EXPECT_EQ(
      on_leave_intent(failed),
      (Transition{.status = left, .event = MemberEventKind::leave, .move = ListMove::to_left}));
  EXPECT_EQ(on_leave_intent(leaving), (Transition{.status = leaving, .event = std::nullopt}));
  EXPECT_EQ(on_leave_intent(left), (Transition{.status = left, .event = std::nullopt}));
  EXPECT_FALSE(on_leave_intent(none).applies);
}

TEST(StatusRules, JoinIntentOnlyEndsLeaving) {
  for (const MemberStatus status : {alive, left, failed}) {
    EXPECT_EQ(on_join_intent(status), (Transition{.status = status, .event = std::nullopt}));
  }
  EXPECT_EQ(on_join_intent(leaving), (Transition{.status = alive, .event = std::nullopt}));
  EXPECT_FALSE(on_join_intent(none).applies);
}

TEST(StatusRules, ListsAlwaysFollowTheStatus) {
  for (const MemberStatus status : statuses) {
    for (const Transition& transition :
         {on_gone(status), on_leave_intent(status), on_join_intent(status)}) {
      EXPECT_EQ(transition.move, move_between(status, transition.status));
      EXPECT_TRUE(transition.applies || transition.status == status);
    }
  }
}

TEST(StatusRules, OnlyNewerIntentsAreNews) {
  EXPECT_TRUE(is_news(LamportTime{5}, LamportTime{4}));
  EXPECT_FALSE(is_news(LamportTime{4}, LamportTime{4}));
  EXPECT_FALSE(is_news(LamportTime{3}, LamportTime{4}));
}

}  // namespace
}  // namespace starling
