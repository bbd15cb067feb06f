#include "agent/handler_event.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

MemberInfo member(std::string name, IpAddress address, Tags tags) {
  MemberInfo info;
  info.name = std::move(name);
  info.address = address;
  info.port = 7946;
  info.tags = std::move(tags);
  return info;
}

TEST(HandlerEvent, MemberEventsListAMemberPerLine) {
  HandlerEvent event;
  event.change = MemberEventKind::leave;
  event.members.push_back(
      member("a", IpAddress::v4(10, 0, 0, 1), {{"role", "web"}, {"dc", "east"}}));
  event.members.push_back(member("b", IpAddress::v4(10, 0, 0, 2), {}));
  EXPECT_EQ(event.kind_text(), "member-leave");
  EXPECT_EQ(handler_input(event),
            "a\t10.0.0.1\tweb\tdc=east,role=web\n"
            "b\t10.0.0.2\t\t\n");
}

TEST(HandlerEvent, TabsAndNewlinesCannotBreakALine) {
  HandlerEvent event;
  event.members.push_back(
      member("a\tb\nc", IpAddress::v4(1, 2, 3, 4), {{"role", "x\ny"}, {"k\t", "v\t"}}));
  EXPECT_EQ(handler_input(event), "a\\tb\\nc\t1.2.3.4\tx\\ny\tk\\t=v\\t,role=x\\ny\n");
}

TEST(HandlerEvent, PayloadsEndWithANewlineUnlessEmpty) {
  HandlerEvent event;
  event.kind = HandlerEvent::Kind::user;
  EXPECT_EQ(handler_input(event), "");
  event.payload = "abc";
  EXPECT_EQ(handler_input(event), "abc\n");
  event.payload = "abc\n";
  EXPECT_EQ(handler_input(event), "abc\n");
  event.payload = "\n\n";
  EXPECT_EQ(handler_input(event), "\n\n");
}

TEST(HandlerEvent, EnvironmentNamesTheEventAndOurselves) {
  const HandlerSelf self{"me", {{"role", "db"}, {"my-tag.2", "a b"}, {"\xc3\xa9x", "y"}}};
  HandlerEvent event;
  EXPECT_EQ(
      handler_environment(event, self),
      (std::vector<std::string>{"SERF_EVENT=member-join", "SERF_SELF_NAME=me", "SERF_SELF_ROLE=db",
                                "SERF_TAG_MY_TAG_2=a b", "SERF_TAG_ROLE=db", "SERF_TAG__X=y"}));
}

TEST(HandlerEvent, UserEventsAndQueriesNameThemselves) {
  HandlerEvent event;
  event.kind = HandlerEvent::Kind::user;
  event.name = "deploy";
  event.time = LamportTime{42};
  EXPECT_EQ(handler_environment(event, {"me", {}}),
            (std::vector<std::string>{"SERF_EVENT=user", "SERF_SELF_NAME=me", "SERF_SELF_ROLE=",
                                      "SERF_USER_EVENT=deploy", "SERF_USER_LTIME=42"}));
  event.kind = HandlerEvent::Kind::query;
  EXPECT_EQ(handler_environment(event, {"me", {}}),
            (std::vector<std::string>{"SERF_EVENT=query", "SERF_SELF_NAME=me", "SERF_SELF_ROLE=",
                                      "SERF_QUERY_NAME=deploy", "SERF_QUERY_LTIME=42"}));
}

}  // namespace
}  // namespace starling::agent
