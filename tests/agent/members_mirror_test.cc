#include "agent/members_mirror.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

using namespace std::string_view_literals;

Event row(std::string_view name, MemberStatus status, std::optional<MemberEventKind> change) {
  Event event;
  event.kind = Event::Kind::member;
  event.name = name;
  event.status = status;
  event.change = change;
  event.endpoint = {IpAddress::v4(127, 0, 0, 1), 7946};
  event.payload = as_bytes("\xff\x81\xa4role\xa3web"sv);
  return event;
}

TEST(MembersMirror, RowsComeChangeAndGo) {
  MembersMirror mirror;
  mirror.apply(row("a", MemberStatus::alive, MemberEventKind::join));
  ASSERT_NE(mirror.find("a"), nullptr);
  EXPECT_EQ(mirror.find("a")->status, "alive");
  EXPECT_EQ(mirror.find("a")->tags, (Tags{{"role", "web"}}));
  EXPECT_EQ(mirror.find("a")->port, 7946);
  mirror.apply(row("a", MemberStatus::leaving, std::nullopt));
  EXPECT_EQ(mirror.find("a")->status, "leaving");
  mirror.apply(row("b", MemberStatus::failed, MemberEventKind::failed));
  EXPECT_EQ(mirror.members().size(), 2U);
  mirror.apply(row("a", MemberStatus::left, MemberEventKind::reap));
  EXPECT_EQ(mirror.find("a"), nullptr);
  mirror.apply(row("unknown", MemberStatus::left, MemberEventKind::reap));
  EXPECT_EQ(mirror.members().size(), 1U);
}

TEST(MembersMirror, BareRole) {
  Event event = row("a", MemberStatus::alive, MemberEventKind::join);
  event.payload = as_bytes("db"sv);
  EXPECT_EQ(member_of(event).tags, (Tags{{"role", "db"}}));
}

}  // namespace
}  // namespace starling::agent
