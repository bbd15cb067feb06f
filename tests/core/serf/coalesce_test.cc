#include "core/serf/coalesce.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/vectors.h"

namespace starling {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Instant start{};
constexpr CoalescePeriods periods{.quantum = seconds(3), .quiescent = seconds(1)};

using Members = MemberCoalescer<std::string>;
using Users = UserCoalescer<std::string>;

MemberEventKind kind_from(std::string_view text) {
  for (std::size_t kind = 0; kind < member_event_kinds; ++kind) {
    if (to_text(static_cast<MemberEventKind>(kind)) == text) {
      return static_cast<MemberEventKind>(kind);
    }
  }
  ADD_FAILURE() << text;
  return {};
}

// "member-join:[\"a\",\"b\"]", as the recorded rounds have it.
std::multiset<std::string> flushed(Members& coalescer) {
  std::multiset<std::string> events;
  coalescer.flush([&](MemberEventKind kind, std::vector<std::string>&& members) {
    events.insert(std::string(to_text(kind)) + ":" + nlohmann::json(members).dump());
  });
  return events;
}
std::vector<std::string> flushed(Users& coalescer) {
  std::vector<std::string> events;
  coalescer.flush([&](std::string&& event) { events.push_back(std::move(event)); });
  return events;
}

// Go never empties its table of latest events, so a member whose latest event is an update is
// reported again by every later flush. We do not copy that: these are the recorded rounds, by
// number, whose output holds such an echo, and the echo. No other entry is left out.
const std::multimap<std::size_t, std::string> echoes = {{9, R"(member-update:["c"])"},
                                                        {10, R"(member-update:["c"])"}};

TEST(MemberCoalescer, FollowsTheRecordedRounds) {
  Members coalescer(periods, {});
  const auto& rounds = test::load_vectors("serf.json")["coalesce_member_rounds"];
  ASSERT_EQ(rounds.size(), 13u);
  for (std::size_t round = 0; round < rounds.size(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round) + " " + rounds[round].dump());
    for (const std::string event : rounds[round]["in"]) {
      const std::size_t colon = event.find(':');
      const std::string name = event.substr(colon + 1);
      ASSERT_TRUE(coalescer.add(kind_from(event.substr(0, colon)), name, name, start));
    }
    std::multiset<std::string> expected = rounds[round]["flushed"];
    const auto [first, last] = echoes.equal_range(round);
    for (auto echo = first; echo != last; ++echo) {
      const auto at = expected.find(echo->second);
      ASSERT_NE(at, expected.end());
      expected.erase(at);
    }
    EXPECT_EQ(flushed(coalescer), expected);
  }
}

TEST(UserCoalescer, FollowsTheRecordedRounds) {
  Users coalescer(periods, 100);
  for (const auto& round : test::load_vectors("serf.json")["coalesce_user_rounds"]) {
    SCOPED_TRACE(round.dump());
    for (const std::string event : round["in"]) {  // NAME@TIME:PAYLOAD
      const std::size_t at = event.find('@');
      ASSERT_TRUE(coalescer.add(LamportTime{std::stoull(event.substr(at + 1))}, event.substr(0, at),
                                event, start));
    }
    EXPECT_EQ(flushed(coalescer), round["flushed"].get<std::vector<std::string>>());
  }
}

TEST(CoalesceTimer, QuietEndsItEarlyAndTheQuantumEndsItAnyway) {
  CoalesceTimer timer(periods);
  EXPECT_EQ(timer.due(), std::nullopt);
  timer.event(start);
  EXPECT_EQ(timer.due(), start + seconds(1));
  timer.event(start + milliseconds(900));
  EXPECT_EQ(timer.due(), start + milliseconds(1900));
  timer.event(start + milliseconds(2500));
  EXPECT_EQ(timer.due(), start + seconds(3));
  timer.stop();
  EXPECT_EQ(timer.due(), std::nullopt);
  timer.event(start + seconds(10));
  EXPECT_EQ(timer.due(), start + seconds(11));
}

TEST(MemberCoalescer, AFailureFollowedByALeaveIsOneLeave) {
  Members coalescer(periods, {});
  coalescer.add(MemberEventKind::failed, "a", "a", start);
  coalescer.add(MemberEventKind::leave, "a", "a again", start);
  EXPECT_EQ(coalescer.due(), start + seconds(1));
  EXPECT_EQ(flushed(coalescer), (std::multiset<std::string>{R"(member-leave:["a again"])"}));
  EXPECT_EQ(coalescer.due(), std::nullopt);
  EXPECT_TRUE(flushed(coalescer).empty());
}

TEST(MemberCoalescer, RefusesWhenFullUntilFlushed) {
  Members coalescer(periods, {.members_max = 2, .remembered_max = 100});
  EXPECT_TRUE(coalescer.add(MemberEventKind::join, "a", "a", start));
  EXPECT_TRUE(coalescer.add(MemberEventKind::join, "b", "b", start));
  EXPECT_FALSE(coalescer.add(MemberEventKind::join, "c", "c", start));
  EXPECT_TRUE(coalescer.add(MemberEventKind::failed, "a", "a", start));
  EXPECT_EQ(flushed(coalescer).size(), 2u);
  EXPECT_TRUE(coalescer.add(MemberEventKind::join, "c", "c", start));
}

TEST(MemberCoalescer, RemembersABoundedNumberOfNames) {
  LastReported last(8);
  for (int name = 0; name < 9; ++name) {
    EXPECT_TRUE(last.report(std::to_string(name), MemberEventKind::join));
  }
  EXPECT_LE(last.size(), 8u);
  EXPECT_TRUE(last.report("0", MemberEventKind::join));   // forgotten
  EXPECT_FALSE(last.report("8", MemberEventKind::join));  // known
}

TEST(UserCoalescer, KeepsTheNewestOfEachNameWithinItsCapacity) {
  Users coalescer(periods, 2);
  EXPECT_TRUE(coalescer.add(LamportTime{5}, "a", "a5", start));
  EXPECT_TRUE(coalescer.add(LamportTime{5}, "a", "a5 too", start));
  EXPECT_FALSE(coalescer.add(LamportTime{5}, "a", "a5 again", start));
  EXPECT_TRUE(coalescer.add(LamportTime{4}, "a", "older: dropped", start));
  EXPECT_TRUE(coalescer.add(LamportTime{6}, "a", "a6", start));
  EXPECT_TRUE(coalescer.add(LamportTime{1}, "b", "b1", start));
  EXPECT_FALSE(coalescer.add(LamportTime{1}, "c", "c1", start));
  EXPECT_EQ(flushed(coalescer), (std::vector<std::string>{"a6", "b1"}));
  EXPECT_EQ(coalescer.due(), std::nullopt);
  EXPECT_TRUE(coalescer.add(LamportTime{1}, "c", "c1", start));
}

}  // namespace
}  // namespace starling
