#include "agent/explain.h"

#include <gtest/gtest.h>

#include "core/base/hash.h"

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

constexpr Instant now = Instant{} + 100s;

std::string nobody(NameHash) {
  return "";
}

TEST(Explain, NothingIsKnown) {
  EXPECT_TRUE(explain("a", {.now = now}, nullptr, nobody).empty());
}

TEST(Explain, ASuspectWithItsAccusers) {
  Explanation suspect{.now = now,
                      .known = true,
                      .listed = true,
                      .state = MemberState::suspect,
                      .incarnation = Incarnation{3},
                      .state_changed = now - 2500ms,
                      .status = MemberStatus::alive,
                      .status_time = LamportTime{8},
                      .endpoint = {IpAddress::v4(127, 0, 0, 1), 7946},
                      .suspicion = true,
                      .suspicion_started = now - 2500ms,
                      .suspicion_ends = now + 1s,
                      .confirmations = 2,
                      .confirmations_needed = 2};
  suspect.accusers = {hash_name("b"), hash_name("c"), hash_name("gone")};
  MemberHistory::Member history;
  history.suspicion = MemberHistory::Suspicion{now, 3, {"b"}};
  history.probe = MemberHistory::Probe{now - 1s, "acked", 2ms};
  history.happenings.push_back({now - 3s, "joined"});
  const Stats said = explain("a", suspect, &history, [](NameHash hash) {
    return hash == hash_name("c") ? std::string("c") : std::string();
  });
  EXPECT_EQ(said.at("member").at("status"), "alive");
  EXPECT_EQ(said.at("member").at("state"), "suspect");
  EXPECT_EQ(said.at("member").at("address"), "127.0.0.1:7946");
  EXPECT_EQ(said.at("member").at("changed_s"), "2.500");
  EXPECT_FALSE(said.at("member").contains("gone_s"));
  EXPECT_EQ(said.at("suspicion"), (Tags{{"accusers", "b, c, ?"},
                                        {"confirmations", "2"},
                                        {"confirmations_needed", "2"},
                                        {"ends_in_s", "1.000"},
                                        {"since_s", "2.500"}}));
  EXPECT_EQ(said.at("probe"),
            (Tags{{"ago_s", "1.000"}, {"result", "acked"}, {"round_trip_ms", "2.000"}}));
  EXPECT_EQ(said.at("history"), (Tags{{"01", "3.000 joined"}}));
  EXPECT_FALSE(said.contains("history_limit"));
  history.dropped = 7;
  EXPECT_EQ(explain("a", suspect, &history, nobody).at("history_limit"), (Tags{{"dropped", "7"}}));
  EXPECT_FALSE(said.contains("host") || said.contains("death") || said.contains("intent"));
}

TEST(Explain, AFailedMemberAHostedOneAndAnIntent) {
  MemberHistory::Member history;
  history.death = MemberHistory::Death{now - 4s, "b", 3};
  const Explanation failed{.now = now,
                           .known = true,
                           .state = MemberState::dead,
                           .status = MemberStatus::failed,
                           .gone_since = now - 4s};
  const Stats said = explain("a", failed, &history, nobody);
  EXPECT_EQ(said.at("member").at("gone_s"), "4.000");
  EXPECT_EQ(said.at("member").at("listed"), "false");
  EXPECT_EQ(said.at("death"), (Tags{{"ago_s", "4.000"}, {"by", "b"}, {"incarnation", "3"}}));

  const Explanation own{
      .now = now, .known = true, .hosted = true, .health = 2, .leave = LeaveStage::left};
  EXPECT_EQ(explain("me", own, nullptr, nobody).at("host"),
            (Tags{{"health", "2"}, {"leave", "has left"}}));
  const Explanation intent{
      .now = now, .has_intent = true, .intent = IntentKind::leave, .intent_time = LamportTime{5}};
  EXPECT_EQ(explain("x", intent, nullptr, nobody),
            (Stats{{"intent", {{"kind", "leave"}, {"time", "5"}}}}));
}

}  // namespace
}  // namespace starling::agent
