#include "agent/swarm/observer.h"

#include <gtest/gtest.h>

namespace starling::agent::swarm {
namespace {

Event member_event(std::string_view name, std::optional<MemberEventKind> change) {
  Event event;
  event.kind = Event::Kind::member;
  event.name = name;
  event.change = change;
  event.at = Instant{} + std::chrono::seconds(2);
  return event;
}

Event suspicion(std::string_view name) {
  Event event;
  event.kind = Event::Kind::trace;
  event.trace = TraceKind::suspect_started;
  event.name = name;
  event.at = Instant{} + std::chrono::seconds(2);
  return event;
}

class Watching : public testing::Test {
 protected:
  Population population_{100, 4};
  Observer observer_{population_, 2};
};

TEST_F(Watching, CountsEachKind) {
  for (const MemberEventKind kind :
       {MemberEventKind::join, MemberEventKind::failed, MemberEventKind::leave,
        MemberEventKind::update, MemberEventKind::reap}) {
    observer_.on_event(member_event("m0000001", kind));
  }
  observer_.on_event(member_event("m0000001", std::nullopt));
  const Sightings& seen = observer_.sightings();
  EXPECT_EQ(seen.events, 6u);
  EXPECT_EQ(seen.joined, 1u);
  EXPECT_EQ(seen.failed, 1u);
  EXPECT_EQ(seen.left, 1u);
  EXPECT_EQ(seen.updated, 1u);
}

TEST_F(Watching, TellsFalseFailuresFromExcusedOnes) {
  population_.excuse(7, true);
  observer_.on_event(member_event("m0000007", MemberEventKind::failed));
  observer_.on_event(suspicion("m0000007"));
  EXPECT_EQ(observer_.sightings().false_failures, 0u);
  EXPECT_EQ(observer_.sightings().false_suspicions, 0u);
  observer_.on_event(member_event("m0000008", MemberEventKind::failed));
  observer_.on_event(suspicion("m0000008"));
  EXPECT_EQ(observer_.sightings().false_failures, 1u);
  EXPECT_EQ(observer_.sightings().false_suspicions, 1u);
  population_.excuse_everybody(true);
  observer_.on_event(member_event("m0000008", MemberEventKind::failed));
  EXPECT_EQ(observer_.sightings().false_failures, 1u);
  EXPECT_EQ(observer_.sightings().failed, 3u);
}

TEST_F(Watching, NotesInTheWatch) {
  auto watch = std::make_shared<Watch>(
      Watch::Setting{.expected = MemberEventKind::failed, .members = 100, .engines = 4},
      std::vector<std::uint32_t>{7});
  watch->happened(7, Instant{} + std::chrono::seconds(1));
  observer_.watch(watch);
  observer_.on_event(suspicion("m0000007"));
  observer_.on_event(member_event("m0000007", MemberEventKind::failed));
  EXPECT_EQ(watch->reported_count(2), 1u);
  EXPECT_EQ(watch->reported_count(1), 0u);
  EXPECT_EQ(watch->result({false, false, true, false}).suspicion.count(), 1u);
  observer_.watch(nullptr);
  observer_.on_event(member_event("m0000007", MemberEventKind::failed));
}

TEST_F(Watching, IgnoresStrangersAndOtherEvents) {
  observer_.on_event(member_event("somebody", MemberEventKind::failed));
  observer_.on_event(member_event("m0000100", MemberEventKind::failed));  // one too many
  EXPECT_EQ(observer_.sightings().strangers, 2u);
  EXPECT_EQ(observer_.sightings().failed, 0u);
  Event other;
  other.kind = Event::Kind::user;
  other.name = "deploy";
  observer_.on_event(other);
  other.kind = Event::Kind::trace;
  other.trace = TraceKind::probe;
  observer_.on_event(other);
  EXPECT_EQ(observer_.sightings().events, 2u);
}

}  // namespace
}  // namespace starling::agent::swarm
