#include "agent/trace_log.h"

#include <gtest/gtest.h>

#include "agent/log_limiter.h"

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

Event trace_of(TraceKind kind) {
  Event event;
  event.kind = Event::Kind::trace;
  event.trace = kind;
  event.name = "b";
  event.endpoint = {IpAddress::v4(127, 0, 0, 2), 7946};
  return event;
}

Event member_event(std::optional<MemberEventKind> change) {
  Event event;
  event.kind = Event::Kind::member;
  event.change = change;
  event.name = "b";
  event.endpoint = {IpAddress::v4(127, 66, 0, 2), 7946};
  return event;
}

TEST(TraceLog, SerfsWords) {
  EXPECT_EQ(trace_line(trace_of(TraceKind::probe_failed), "a").text,
            "memberlist: Suspect b has failed, no acks received");
  EXPECT_EQ(trace_line(trace_of(TraceKind::probe_failed), "a").level, LogLevel::info);
  EXPECT_EQ(trace_line(trace_of(TraceKind::probe_indirect), "a").text,
            "memberlist: Failed ping: b (timeout reached)");
  Event timed_out = trace_of(TraceKind::suspect_timed_out);
  timed_out.number = 1;
  EXPECT_EQ(trace_line(timed_out, "a").text,
            "memberlist: Marking b as failed, suspect timeout reached (1 peer confirmations)");
}

TEST(TraceLog, ConflictAboutUsIsAnError) {
  EXPECT_EQ(trace_line(trace_of(TraceKind::conflict), "a").level, LogLevel::warn);
  EXPECT_EQ(trace_line(trace_of(TraceKind::conflict), "b").level, LogLevel::err);
  Event conflict = trace_of(TraceKind::conflict);
  conflict.text = "it is alive";
  EXPECT_TRUE(trace_line(conflict, "a").text.ends_with(": it is alive"));
}

TEST(TraceLog, MemberLines) {
  EXPECT_EQ(member_line(member_event(MemberEventKind::join), false)->text,
            "serf: EventMemberJoin: b 127.66.0.2");
  EXPECT_EQ(member_line(member_event(MemberEventKind::leave), true)->text,
            "serf: EventMemberLeave (forced): b 127.66.0.2");
  EXPECT_EQ(member_line(member_event(MemberEventKind::update), false)->text,
            "serf: EventMemberUpdate: b");
  EXPECT_FALSE(member_line(member_event(std::nullopt), false));
}

TEST(TraceLog, WhatWasRefusedGetsFewLines) {
  EXPECT_EQ(lines_per_second(TraceKind::packet_dropped), LogLimiter::refused_lines_max);
  EXPECT_EQ(lines_per_second(TraceKind::event_dropped), LogLimiter::refused_lines_max);
  EXPECT_EQ(lines_per_second(TraceKind::member_alive), LogLimiter::told_lines_max);
}

}  // namespace
}  // namespace starling::agent
