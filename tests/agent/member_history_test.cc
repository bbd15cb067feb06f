#include "agent/member_history.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

Event trace(TraceKind kind, std::string_view name, std::string_view from = "",
            std::uint64_t number = 0, Instant at = Instant{} + 1s) {
  Event event;
  event.kind = Event::Kind::trace;
  event.trace = kind;
  event.name = name;
  event.from = from;
  event.number = number;
  event.at = at;
  return event;
}

TEST(MemberHistory, FollowsASuspicionToItsEnd) {
  MemberHistory history;
  history.apply(trace(TraceKind::suspect_started, "a", "b", 4));
  history.apply(trace(TraceKind::suspect_confirmed, "a", "c", 1));
  history.apply(trace(TraceKind::suspect_confirmed, "a", "c", 1));
  const MemberHistory::Member* a = history.find("a");
  ASSERT_NE(a, nullptr);
  ASSERT_TRUE(a->suspicion);
  EXPECT_EQ(a->suspicion->accusers, (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(a->suspicion->incarnation, 4u);
  const auto running = history.suspicions(10);
  ASSERT_EQ(running.size(), 1u);
  EXPECT_EQ(running[0].first, "a");
  EXPECT_TRUE(history.suspicions(0).empty());

  history.apply(trace(TraceKind::member_dead, "a", "b", 4, Instant{} + 9s));
  EXPECT_FALSE(a->suspicion);
  ASSERT_TRUE(a->death);
  EXPECT_EQ(a->death->from, "b");
  EXPECT_EQ(a->death->at, Instant{} + 9s);
  EXPECT_EQ(a->happenings.back().text, "declared dead by b, incarnation 4");
  history.apply(trace(TraceKind::member_alive, "a", "", 5));
  EXPECT_FALSE(a->death);
  EXPECT_TRUE(history.suspicions(10).empty());
}

TEST(MemberHistory, KeepsTheLastProbe) {
  MemberHistory history;
  history.apply(trace(TraceKind::probe_acked, "a", "", 1'500'000));
  const MemberHistory::Member* a = history.find("a");
  ASSERT_NE(a, nullptr);
  ASSERT_TRUE(a->probe);
  EXPECT_EQ(a->probe->result, "acked");
  EXPECT_EQ(a->probe->round_trip, 1'500us);
  // What happens each second is no news.
  EXPECT_TRUE(a->happenings.empty());
  history.apply(trace(TraceKind::probe_failed, "a"));
  EXPECT_EQ(a->probe->result, "unanswered");
  EXPECT_FALSE(a->probe->round_trip);
  EXPECT_EQ(a->happenings.size(), 1u);
}

TEST(MemberHistory, NotesWhatSerfSays) {
  MemberHistory history;
  Event event;
  event.kind = Event::Kind::member;
  event.name = "a";
  event.status = MemberStatus::leaving;
  event.time = LamportTime{12};
  history.apply(event);
  ASSERT_NE(history.find("a"), nullptr);
  EXPECT_EQ(history.find("a")->happenings.back().text, "said that it leaves, at time 12");
  event.change = MemberEventKind::leave;
  event.status = MemberStatus::left;
  history.apply(event);
  EXPECT_EQ(history.find("a")->happenings.back().text, "left");
}

TEST(MemberHistory, IsBounded) {
  MemberHistory history;
  for (std::size_t i = 0; i < 3 * MemberHistory::events_max; ++i) {
    history.apply(trace(TraceKind::probe_failed, "first"));
    history.apply(trace(TraceKind::suspect_confirmed, "first", std::to_string(i)));
  }
  EXPECT_EQ(history.find("first")->happenings.size(), MemberHistory::events_max);
  EXPECT_EQ(history.find("first")->dropped, 5 * MemberHistory::events_max);
  EXPECT_EQ(history.find("first")->suspicion->accusers.size(), MemberHistory::accusers_max);
  history.apply(trace(TraceKind::probe_failed, "second"));
  history.apply(trace(TraceKind::probe_failed, "first"));
  for (std::size_t i = 0; i + 1 < MemberHistory::names_max; ++i) {
    history.apply(trace(TraceKind::probe_failed, "m" + std::to_string(i)));
  }
  EXPECT_EQ(history.size(), MemberHistory::names_max);
  // Who was heard of last stays.
  EXPECT_NE(history.find("first"), nullptr);
  EXPECT_EQ(history.find("second"), nullptr);
}

}  // namespace
}  // namespace starling::agent
