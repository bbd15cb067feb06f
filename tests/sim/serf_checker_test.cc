// Every rule must fire on a forged history that breaks it, and stay silent on one that does not.
#include "sim/serf_checker.h"

#include <gtest/gtest.h>

#include "tests/sim/nodes.h"

namespace starling::sim {
namespace {

class SerfCheckerTest : public testing::Test {
 protected:
  SerfCheckerTest() {
    checker_.on_start(a, "meta-a");
    checker_.on_start(b, "meta-b");
  }
  void say(NodeId observer, NodeId subject, std::optional<MemberEventKind> change,
           MemberStatus status) {
    Event event;
    event.kind = Event::Kind::member;
    event.change = change;
    event.status = status;
    event.endpoint = endpoint_;
    event.payload = as_bytes(meta_);
    checker_.on_member(now_, observer, subject, event);
  }
  void hear(NodeId observer, std::string_view name, std::string_view payload, std::uint64_t time) {
    Event event;
    event.kind = Event::Kind::user;
    event.name = name;
    event.payload = as_bytes(payload);
    event.time = LamportTime{time};
    checker_.on_user_event(now_, observer, event);
  }
  void expect_only(Rule rule) {
    ASSERT_EQ(violations_.count(), 1U);
    EXPECT_EQ(violations_.kept()[0].rule, rule);
  }

  Violations violations_;
  SerfChecker checker_{2, violations_};
  Instant now_{std::chrono::seconds(5)};
  Endpoint endpoint_ = endpoint_of(b);
  std::string meta_ = "meta-b";
};

TEST_F(SerfCheckerTest, AnOrdinaryLifeIsFine) {
  using enum MemberStatus;
  say(a, b, MemberEventKind::join, alive);
  say(a, b, MemberEventKind::failed, failed);
  say(a, b, MemberEventKind::join, alive);
  say(a, b, std::nullopt, leaving);
  say(a, b, MemberEventKind::leave, left);
  say(a, b, MemberEventKind::join, alive);
  checker_.on_meta(b, "newer");
  meta_ = "newer";
  say(a, b, MemberEventKind::update, alive);
  EXPECT_EQ(checker_.row(a, b).meta, "newer");
  say(a, b, MemberEventKind::failed, failed);
  say(a, b, MemberEventKind::leave, left);
  EXPECT_EQ(checker_.rows(a, left), 1U);
  say(a, b, MemberEventKind::reap, left);
  EXPECT_EQ(checker_.rows(a), 0U);
  EXPECT_EQ(violations_.count(), 0U);
}

TEST_F(SerfCheckerTest, ImpossibleStatuses) {
  using enum MemberStatus;
  say(a, b, MemberEventKind::failed, failed);  // not even joined
  say(a, b, MemberEventKind::failed, failed);  // twice
  say(a, b, MemberEventKind::join, alive);
  say(a, b, MemberEventKind::join, alive);    // twice
  say(a, b, MemberEventKind::leave, left);    // without leaving or failing
  say(a, b, MemberEventKind::update, alive);  // an update changes no status
  EXPECT_EQ(violations_.count(), 5U);
  for (const Violation& each : violations_.kept()) {
    EXPECT_EQ(each.rule, Rule::impossible_status);
  }
}

TEST_F(SerfCheckerTest, SelfMustBeAlive) {
  say(b, b, MemberEventKind::join, MemberStatus::alive);
  say(b, b, std::nullopt, MemberStatus::leaving);
  expect_only(Rule::self_not_alive);
  checker_.on_leave(b);
  say(b, b, std::nullopt, MemberStatus::leaving);
  EXPECT_EQ(violations_.count(), 1U);
}

TEST_F(SerfCheckerTest, ForeignEndpoint) {
  endpoint_ = endpoint_of(a);
  say(a, b, MemberEventKind::join, MemberStatus::alive);
  expect_only(Rule::foreign_endpoint);
}

TEST_F(SerfCheckerTest, ForeignMeta) {
  meta_ = "meta-a";
  say(a, b, MemberEventKind::join, MemberStatus::alive);
  expect_only(Rule::foreign_meta);
}

TEST_F(SerfCheckerTest, UserEvents) {
  checker_.on_user_event_sent("deploy", "v1");
  hear(a, "deploy", "v1", 3);
  hear(b, "deploy", "v1", 3);
  EXPECT_EQ(violations_.count(), 0U);
  EXPECT_EQ(checker_.deliveries(a, "deploy"), 1U);
  hear(a, "deploy", "v1", 3);
  expect_only(Rule::event_twice);
  hear(a, "deploy", "v2", 3);
  EXPECT_EQ(violations_.kept().back().rule, Rule::foreign_event);
  checker_.on_start(a, "meta-a");
  hear(a, "deploy", "v1", 3);  // a new process may hear it again
  EXPECT_EQ(violations_.count(), 2U);
}

}  // namespace
}  // namespace starling::sim
