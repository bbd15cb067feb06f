#include "core/serf/members.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "core/serf/lamport.h"
#include "tests/core/serf/arena_memory.h"
#include "tests/support/alloc_counter.h"
#include "tests/support/vectors.h"

namespace starling {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr Instant start{};
constexpr std::uint32_t members_max = 64;

struct Members {
  test::ArenaMemory memory{SerfMembers::footprint(members_max) + RecentIntents::footprint(16)};
  SerfMembers members{memory.arena(), members_max};
  RecentIntents intents{memory.arena(), 16};
};

// A node's Serf layer as the shard will compose it: names to slots, the member clock, the reports.
class Node : public Members {
 public:
  // One recorded input; whether it is to be re-broadcast.
  bool apply(const nlohmann::json& op) {
    const std::string kind = op["op"], node = op["node"];
    const LamportTime time{op["ltime"].get<std::uint64_t>()};
    events.clear();
    if (kind == "join_intent" || kind == "leave_intent") return intent(op, kind, node, time);

    if (kind == "ml_join") {
      const Slot slot = slots_.try_emplace(node, Slot{next_++}).first->second;
      report(node, members.joined(slot, now_, intents.find(hash_name(node))));
    } else if (slots_.contains(node)) {
      const Slot slot = slots_[node];
      report(node, kind == "ml_leave" ? members.gone(slot, now_) : members.updated(slot));
    }
    return false;
  }

  std::vector<std::string> names(std::span<const Slot> list) const {
    std::vector<std::string> names;
    for (const auto& [name, slot] : slots_) {
      if (std::find(list.begin(), list.end(), slot) != list.end()) names.push_back(name);
    }
    return names;
  }
  const std::map<std::string, Slot>& slots() const { return slots_; }

  LamportClock clock{LamportTime{1}};
  std::vector<std::string> events;

 private:
  bool intent(const nlohmann::json& op, const std::string& kind, const std::string& node,
              LamportTime time) {
    clock.witness(time);
    const bool leave = kind == "leave_intent";
    if (!slots_.contains(node)) {
      return intents.upsert(hash_name(node), leave ? IntentKind::leave : IntentKind::join, time,
                            now_);
    }
    const Slot slot = slots_[node];
    const Outcome outcome =
        leave ? members.leave_intent(slot, time, {.prune = op.value("prune", false)})
              : members.join_intent(slot, time);
    report(node, outcome);
    const bool rebroadcast = outcome.rebroadcast;
    if (outcome.erase || (outcome.erase_after_delay && members.prune_due(slot))) {
      report(node, {.event = MemberEventKind::reap});
      members.erase(slot);
      slots_.erase(node);
    }
    return rebroadcast;
  }

  void report(const std::string& node, const Outcome& outcome) {
    if (!outcome.event) return;
    events.push_back(std::string(starling::to_text(*outcome.event)) + ":" + node + ":" +
                     std::string(to_text(members.status(slots_[node]))));
  }

  Instant now_ = start;
  std::map<std::string, Slot> slots_;
  std::uint32_t next_ = 0;
};

void expect_state(const Node& node, const nlohmann::json& op) {
  std::map<std::string, std::string> status;
  std::map<std::string, std::uint64_t> status_time;
  for (const auto& [name, slot] : node.slots()) {
    status[name] = to_text(node.members.status(slot));
    status_time[name] = to_number(node.members.status_time(slot));
  }
  EXPECT_EQ(nlohmann::json(status), op["status_after"]);
  EXPECT_EQ(nlohmann::json(status_time), op["status_ltime_after"]);
  EXPECT_EQ(nlohmann::json(node.names(node.members.left())), op["left_list"]);
  EXPECT_EQ(nlohmann::json(node.names(node.members.failed())), op["failed_list"]);
  EXPECT_EQ(nlohmann::json(node.events), op["events"]);
  EXPECT_EQ(to_number(node.clock.time()), op["member_clock_after"].get<std::uint64_t>());
  EXPECT_EQ(node.intents.size(), op["recent_intents"].size());
  for (const auto& [name, text] : op["recent_intents"].items()) {
    const auto intent = node.intents.find(hash_name(name));
    ASSERT_TRUE(intent);
    EXPECT_EQ((intent->kind == IntentKind::join ? "join@" : "leave@") +
                  std::to_string(to_number(intent->time)),
              text.get<std::string>());
  }
}

TEST(SerfMembers, FollowTheRecordedSequences) {
  const auto& sequences = test::load_vectors("serf.json")["state_machine"];
  ASSERT_EQ(sequences.size(), 11u);
  for (const auto& sequence : sequences) {
    Node node;
    for (const auto& op : sequence["ops"]) {
      SCOPED_TRACE(sequence["name"].get<std::string>() + " " + op.dump());
      const bool rebroadcast = node.apply(op);
      EXPECT_EQ(rebroadcast, op.value("rebroadcast", false));
      expect_state(node, op);
    }
  }
}

TEST(SerfMembers, RefutesALeaveIntentAboutALivingSelf) {
  Members all;
  const Slot self{0};
  all.members.joined(self, start);
  const Outcome refuted =
      all.members.leave_intent(self, LamportTime{4}, {.is_self = true, .self_alive = true});
  EXPECT_EQ(refuted, (Outcome{.event = std::nullopt, .refute = true}));
  EXPECT_EQ(all.members.status(self), MemberStatus::alive);
  EXPECT_EQ(to_number(all.members.status_time(self)), 0u);

  const Outcome own =
      all.members.leave_intent(self, LamportTime{4}, {.is_self = true, .self_alive = false});
  EXPECT_EQ(own, (Outcome{.event = std::nullopt, .rebroadcast = true}));
  EXPECT_EQ(all.members.status(self), MemberStatus::leaving);
}

TEST(SerfMembers, AStaleLeaveIntentIsNotEvenRefuted) {
  Members all;
  all.members.joined(Slot{0}, start);
  all.members.join_intent(Slot{0}, LamportTime{5});
  EXPECT_EQ(
      all.members.leave_intent(Slot{0}, LamportTime{5}, {.is_self = true, .self_alive = true}),
      Outcome{});
}

TEST(SerfMembers, PruneOfALeavingMemberWaits) {
  Members all;
  const Slot slot{3};
  all.members.joined(slot, start);
  const Outcome outcome = all.members.leave_intent(slot, LamportTime{2}, {.prune = true});
  EXPECT_EQ(outcome,
            (Outcome{.event = std::nullopt, .rebroadcast = true, .erase_after_delay = true}));
  EXPECT_TRUE(all.members.prune_due(slot));
  // It leaves memberlist meanwhile, as it should.
  EXPECT_EQ(all.members.gone(slot, start).event, MemberEventKind::leave);
  EXPECT_TRUE(all.members.prune_due(slot));
  all.members.erase(slot);
  EXPECT_FALSE(all.members.prune_due(slot));
  EXPECT_TRUE(all.members.left().empty());
}

TEST(SerfMembers, PruneIsOffWhenTheMemberComesBack) {
  Members all;
  all.members.joined(Slot{1}, start);
  all.members.leave_intent(Slot{1}, LamportTime{2}, {.prune = true});
  all.members.join_intent(Slot{1}, LamportTime{3});
  EXPECT_FALSE(all.members.prune_due(Slot{1}));

  all.members.leave_intent(Slot{1}, LamportTime{4}, {.prune = true});
  all.members.joined(Slot{1}, start);
  EXPECT_FALSE(all.members.prune_due(Slot{1}));
}

TEST(SerfMembers, PruneOfAFailedMemberReportsThatItLeft) {
  Members all;
  all.members.joined(Slot{1}, start);
  all.members.gone(Slot{1}, start);
  EXPECT_EQ(all.members.leave_intent(Slot{1}, LamportTime{2}, {.prune = true}),
            (Outcome{.event = MemberEventKind::leave, .rebroadcast = true, .erase = true}));
}

TEST(SerfMembers, AFailedMemberThatLeftKeepsTheInstantItWasLost) {
  Members all;
  all.members.joined(Slot{1}, start);
  all.members.gone(Slot{1}, start + seconds(7));
  all.members.leave_intent(Slot{1}, LamportTime{2}, {});
  EXPECT_EQ(all.members.status(Slot{1}), MemberStatus::left);
  EXPECT_EQ(all.members.gone_since(Slot{1}), start + seconds(7));
}

TEST(SerfMembers, FlapMeansBackWithinTheTimeout) {
  Members all;
  const Slot slot{2};
  EXPECT_FALSE(all.members.joined(slot, start).flap);
  all.members.gone(slot, start);
  EXPECT_TRUE(all.members.joined(slot, start + seconds(59)).flap);
  all.members.gone(slot, start + seconds(100));
  EXPECT_FALSE(all.members.joined(slot, start + seconds(160)).flap);
  // A member that left on purpose does not flap.
  all.members.leave_intent(slot, LamportTime{1}, {});
  all.members.gone(slot, start + seconds(200));
  EXPECT_FALSE(all.members.joined(slot, start + seconds(201)).flap);
}

TEST(SerfMembers, ReapErasesTheLongGoneAndNoOthers) {
  Members all;
  for (std::uint32_t i = 0; i < 6; ++i) all.members.joined(Slot{i}, start);
  for (std::uint32_t i = 0; i < 3; ++i) all.members.gone(Slot{i}, start + hours(i));
  for (std::uint32_t i = 3; i < 5; ++i) {
    all.members.leave_intent(Slot{i}, LamportTime{1}, {});
    all.members.gone(Slot{i}, start + hours(i));
  }
  std::set<std::uint32_t> reaped;
  const auto on_reap = [&](Slot slot) {
    EXPECT_TRUE(all.members.contains(slot));
    reaped.insert(static_cast<std::uint32_t>(slot));
  };
  const SerfMembers::ReapTimeouts timeouts{.reconnect = hours(2), .tombstone = hours(1)};
  // Exactly at the timeout nothing happens yet.
  EXPECT_TRUE(all.members.reap(start + hours(2), timeouts, 100, on_reap));
  EXPECT_TRUE(reaped.empty());
  EXPECT_TRUE(all.members.reap(start + hours(4) + seconds(1), timeouts, 100, on_reap));
  EXPECT_EQ(reaped, (std::set<std::uint32_t>{0, 1, 2, 3}));
  EXPECT_TRUE(all.members.reap(start + hours(5) + seconds(1), timeouts, 100, on_reap));
  EXPECT_EQ(reaped, (std::set<std::uint32_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(all.members.counts().total, 1u);
}

TEST(SerfMembers, ReapKeepsToItsBudgetAndGoesOn) {
  Members all;
  for (std::uint32_t i = 0; i < 20; ++i) {
    all.members.joined(Slot{i}, start);
    all.members.gone(Slot{i}, i % 2 == 0 ? start : start + hours(50));
  }
  std::uint32_t reaped = 0, calls = 0;
  bool done = false;
  while (!done) {
    ASSERT_LT(++calls, 30u);
    const std::uint32_t before = reaped;
    done = all.members.reap(start + hours(51), {hours(24), hours(24)}, 3, [&](Slot) { ++reaped; });
    EXPECT_LE(reaped - before, 3u);
  }
  EXPECT_GE(calls, 7u);
  EXPECT_EQ(reaped, 10u);
  EXPECT_EQ(all.members.failed().size(), 10u);
}

TEST(SerfMembers, ReapAllowsTheCallbackToErase) {
  Members all;
  for (std::uint32_t i = 0; i < 3; ++i) {
    all.members.joined(Slot{i}, start);
    all.members.gone(Slot{i}, start);
  }
  EXPECT_TRUE(all.members.reap(start + hours(9), {hours(1), hours(1)}, 10,
                               [&](Slot slot) { all.members.erase(slot); }));
  EXPECT_EQ(all.members.counts().total, 0u);
}

TEST(SerfMembers, ReconnectAsOftenAsTheShareOfFailedMembersSays) {
  Members all;
  Rng rng(11);
  EXPECT_EQ(all.members.reconnect_candidate(rng), std::nullopt);
  for (std::uint32_t i = 0; i < 50; ++i) all.members.joined(Slot{i}, start);
  for (std::uint32_t i = 0; i < 10; ++i) all.members.gone(Slot{i}, start);

  std::map<Slot, int> chosen;
  int tries = 0;
  for (int round = 0; round < 40000; ++round) {
    const auto slot = all.members.reconnect_candidate(rng);
    if (!slot) continue;
    ++tries;
    ++chosen[*slot];
  }
  EXPECT_NEAR(tries, 10000, 500);  // 10 failed of 40 others
  ASSERT_EQ(chosen.size(), 10u);
  for (const auto& [slot, count] : chosen) {
    EXPECT_EQ(all.members.status(slot), MemberStatus::failed);
    EXPECT_NEAR(count, 1000, 200);
  }
  // More failed than others: always.
  for (std::uint32_t i = 10; i < 40; ++i) all.members.gone(Slot{i}, start);
  for (int round = 0; round < 100; ++round) EXPECT_TRUE(all.members.reconnect_candidate(rng));
}

// Any sequence of calls keeps the lists, the counters and the columns in step.
TEST(SerfMembers, RandomSequencesKeepTheBooks) {
  Members all;
  Rng rng(3);
  const test::AllocationCounter allocations;
  std::size_t wrong = 0;
  for (std::uint64_t step = 0; step < 30000; ++step) {
    const Slot slot{rng.below(members_max)};
    const Instant now = start + seconds(step);
    const LamportTime time{rng.below(std::uint64_t{40}) + step / 200};
    const std::uint32_t choice = rng.below(7u);
    const bool known = all.members.contains(slot);
    if (choice <= 1) all.members.joined(slot, now);
    if (choice == 2) all.members.gone(slot, now);
    if (choice == 3 && known) {
      const Outcome outcome = all.members.leave_intent(slot, time, {.prune = rng.below(4u) == 0});
      if (outcome.erase) all.members.erase(slot);
    }
    if (choice == 4 && known) all.members.join_intent(slot, time);
    if (choice == 5 && known && all.members.prune_due(slot)) all.members.erase(slot);
    if (choice == 6) all.members.reap(now, {seconds(500), seconds(300)}, 4, [](Slot) {});

    std::array<std::uint32_t, 5> by_status{};
    for (std::uint32_t i = 0; i < members_max; ++i) {
      ++by_status[static_cast<std::size_t>(all.members.status(Slot{i}))];
    }
    const SerfMembers::Counts counts = all.members.counts();
    wrong += counts.total != members_max - by_status[0];
    wrong += counts.leaving != by_status[2];
    wrong += counts.left != by_status[3] || counts.left != all.members.left().size();
    wrong += counts.failed != by_status[4] || counts.failed != all.members.failed().size();
    wrong += counts.alive != by_status[1] + by_status[2];
    for (const Slot member : all.members.failed()) {
      wrong += all.members.status(member) != MemberStatus::failed;
    }
    for (const Slot member : all.members.left()) {
      wrong += all.members.status(member) != MemberStatus::left;
    }
    wrong += counts.leaving != all.members.leaving().size();
    for (const Slot member : all.members.leaving()) {
      wrong += all.members.status(member) != MemberStatus::leaving;
    }
    ASSERT_EQ(wrong, 0u) << "step " << step;
  }
  EXPECT_EQ(allocations.count(), 0u);
}

}  // namespace
}  // namespace starling
