#include "core/serf/member_event.h"

#include <gtest/gtest.h>

namespace starling {
namespace {

TEST(MemberEventKind, SpeaksSerfsWords) {
  EXPECT_EQ(to_text(MemberEventKind::join), "member-join");
  EXPECT_EQ(to_text(MemberEventKind::leave), "member-leave");
  EXPECT_EQ(to_text(MemberEventKind::failed), "member-failed");
  EXPECT_EQ(to_text(MemberEventKind::update), "member-update");
  EXPECT_EQ(to_text(MemberEventKind::reap), "member-reap");
}

}  // namespace
}  // namespace starling
