#include "agent/event_pipeline.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

struct EventPipelineFixture {
  EventLoop loop;
  std::vector<std::string> seen;
  EventPipeline pipeline{
      loop,
      [this](const HandlerEvent& event, bool coalesce) {
        std::string text(event.kind_text());
        for (const MemberInfo& member : event.members) text += " " + member.name;
        if (!event.name.empty()) text += " " + event.name;
        if (coalesce) text += " (coalesced)";
        seen.push_back(text);
      },
      {.periods = {.quantum = 40ms, .quiescent = 10ms}, .members_max = 2, .user_events_max = 2}};
  static MemberInfo member(const std::string& name) {
    MemberInfo info;
    info.name = name;
    return info;
  }
  static HandlerEvent user(const std::string& name, std::uint64_t time) {
    HandlerEvent event;
    event.kind = HandlerEvent::Kind::user;
    event.name = name;
    event.time = LamportTime{time};
    return event;
  }
  void wait() {
    for (int i = 0; i < 20; ++i) loop.turn(5ms);
  }
};

TEST(EventPipeline, LeaveAfterFailureIsOneLeave) {
  EventPipelineFixture f;
  f.pipeline.member(MemberEventKind::failed, EventPipelineFixture::member("a"));
  f.pipeline.member(MemberEventKind::leave, EventPipelineFixture::member("a"));
  EXPECT_TRUE(f.seen.empty());
  f.wait();
  EXPECT_EQ(f.seen, std::vector<std::string>{"member-leave a"});
}

TEST(EventPipeline, UserEventsOvertakeUnlessTheyCoalesce) {
  EventPipelineFixture f;
  f.pipeline.user(EventPipelineFixture::user("deploy", 5), true);
  f.pipeline.user(EventPipelineFixture::user("now", 6), false);
  f.pipeline.user(EventPipelineFixture::user("deploy", 7), true);
  EXPECT_EQ(f.seen, std::vector<std::string>{"user now"});
  f.wait();
  EXPECT_EQ(f.seen, (std::vector<std::string>{"user now", "user deploy (coalesced)"}));
}

TEST(EventPipeline, FullMeansFlush) {
  EventPipelineFixture f;
  for (const char* name : {"a", "b", "c"}) {
    f.pipeline.member(MemberEventKind::join, EventPipelineFixture::member(name));
  }
  EXPECT_EQ(f.seen, std::vector<std::string>{"member-join a b"});
  f.pipeline.flush();
  EXPECT_EQ(f.seen.back(), "member-join c");
}

}  // namespace
}  // namespace starling::agent
