#include "core/swim/rules.h"

#include <gtest/gtest.h>

#include <array>

namespace starling {
namespace {

constexpr std::array<MemberState, 4> states{MemberState::alive, MemberState::suspect,
                                            MemberState::dead, MemberState::left};
constexpr std::array<bool, 2> booleans{false, true};
constexpr std::array<Incarnation, 5> incarnations{Incarnation{0}, Incarnation{1}, Incarnation{2},
                                                  Incarnation{3}, Incarnation{0xffff'ffff}};

// Calls visit(Known, claimed) for every combination.
template <class Visit>
void for_every_known(Visit&& visit) {
  for (const bool exists : booleans)
    for (const MemberState state : states)
      for (const Incarnation stored : incarnations)
        for (const bool is_self : booleans)
          for (const bool running : booleans)
            for (const Incarnation claimed : incarnations)
              visit(Known{exists, state, stored, is_self, running}, claimed);
}

TEST(Rules, SuspectFollowsSection10_3) {
  int combinations = 0;
  for_every_known([&](Known known, Incarnation claimed) {
    // The text as a list of steps; the first that applies decides.
    struct Step {
      bool applies;
      Verdict verdict;
    };
    const std::array<Step, 6> steps{{
        {!known.exists, Verdict::ignore},
        {to_number(claimed) < to_number(known.incarnation), Verdict::ignore},
        {known.suspicion_running, Verdict::confirm},
        {known.state == MemberState::suspect || known.state == MemberState::dead ||
             known.state == MemberState::left,
         Verdict::ignore},
        {known.is_self, Verdict::refute},
        {true, Verdict::accept},
    }};
    Verdict expected{};
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
      if (step->applies) expected = step->verdict;
    }
    ASSERT_EQ(judge_suspect(known, claimed), expected);
    ++combinations;
  });
  EXPECT_EQ(combinations, 2 * 4 * 5 * 2 * 2 * 5);
}

TEST(Rules, DeadFollowsSection10_4) {
  for_every_known([&](Known known, Incarnation claimed) {
    for (const bool from_self : booleans)
      for (const bool leaving : booleans) {
        const bool heard = known.exists && !(to_number(claimed) < to_number(known.incarnation));
        const bool was_up =
            known.state == MemberState::alive || known.state == MemberState::suspect;
        Verdict expected = Verdict::ignore;
        if (heard && was_up) {
          const bool about_us_and_staying = known.is_self && !leaving;
          expected = about_us_and_staying ? Verdict::refute : Verdict::accept;
        }
        ASSERT_EQ(judge_dead(known, claimed, from_self, leaving), expected);
      }
  });
  EXPECT_EQ(state_after_dead(true), MemberState::left);
  EXPECT_EQ(state_after_dead(false), MemberState::dead);
}

// Section 10.2 played through with an entry that changes, as the text tells it.
AliveVerdict read_section_10_2(const AliveFacts& facts) {
  if (facts.leaving) {
    if (facts.is_self) return AliveVerdict::ignore;  // step 1
  }
  struct Entry {
    MemberState state = MemberState::dead;
    std::uint64_t incarnation = 0;
  } entry;
  bool updates_node = false;
  if (!facts.exists) {  // step 4: created from the message, so its address is equal
    if (!facts.address_allowed) return AliveVerdict::ignore;
  } else {  // step 5
    entry = {facts.state, to_number(facts.stored)};
    if (facts.address_differs) {
      if (!facts.address_allowed) return AliveVerdict::ignore;
      switch (entry.state) {
        case MemberState::left:
          updates_node = true;
          break;
        case MemberState::dead:
          updates_node = facts.reclaim_due;
          break;
        default:
          break;
      }
      if (!updates_node) return AliveVerdict::conflict;
    }
  }
  const std::uint64_t claimed = to_number(facts.claimed);
  // Step 6.
  if (!facts.is_self && claimed <= entry.incarnation && !updates_node) return AliveVerdict::ignore;
  if (facts.is_self && claimed < entry.incarnation) return AliveVerdict::ignore;
  // Step 8.
  if (facts.is_self && !facts.bootstrap) {
    if (claimed == entry.incarnation && facts.same_content) return AliveVerdict::ignore;
    return AliveVerdict::refute;
  }
  return AliveVerdict::accept;  // step 9
}

TEST(Rules, AliveFollowsSection10_2) {
  std::array<int, 4> seen{};
  for (unsigned bits = 0; bits < 256; ++bits)
    for (const MemberState state : states)
      for (const Incarnation stored : incarnations)
        for (const Incarnation claimed : incarnations) {
          const auto bit = [&](unsigned number) { return (bits >> number & 1) != 0; };
          const AliveFacts facts{.exists = bit(0),
                                 .is_self = bit(1),
                                 .bootstrap = bit(2),
                                 .leaving = bit(3),
                                 .stored = stored,
                                 .state = state,
                                 .reclaim_due = bit(4),
                                 .address_differs = bit(5),
                                 .claimed = claimed,
                                 .address_allowed = bit(6),
                                 .same_content = bit(7)};
          const AliveVerdict verdict = judge_alive(facts);
          ASSERT_EQ(verdict, read_section_10_2(facts)) << bits;
          ++seen.at(static_cast<std::size_t>(verdict));
        }
  for (const int count : seen) EXPECT_GT(count, 0);
}

TEST(Rules, AliveConsequencesThatWereObserved) {
  const AliveFacts known{.exists = true, .stored = Incarnation{5}, .state = MemberState::alive};
  // Same incarnation, other meta: ignored.
  AliveFacts facts = known;
  facts.claimed = Incarnation{5};
  EXPECT_EQ(judge_alive(facts), AliveVerdict::ignore);
  // A dead node comes back only with a strictly higher incarnation at the same address.
  facts.state = MemberState::dead;
  EXPECT_EQ(judge_alive(facts), AliveVerdict::ignore);
  facts.claimed = Incarnation{6};
  EXPECT_EQ(judge_alive(facts), AliveVerdict::accept);
  // A left node at a new address: any incarnation, even a lower one.
  facts.state = MemberState::left;
  facts.address_differs = true;
  facts.claimed = Incarnation{1};
  EXPECT_EQ(judge_alive(facts), AliveVerdict::accept);
  // An address conflict applies to messages about ourselves as well.
  facts = known;
  facts.is_self = facts.address_differs = true;
  facts.claimed = Incarnation{9};
  EXPECT_EQ(judge_alive(facts), AliveVerdict::conflict);
  // A higher incarnation with identical content about ourselves is refuted.
  facts.address_differs = false;
  facts.same_content = true;
  EXPECT_EQ(judge_alive(facts), AliveVerdict::refute);
  facts.claimed = Incarnation{5};
  EXPECT_EQ(judge_alive(facts), AliveVerdict::ignore);
  // Our own start.
  EXPECT_EQ(judge_alive({.is_self = true, .bootstrap = true, .claimed = Incarnation{1}}),
            AliveVerdict::accept);
}

TEST(Rules, EventsFollowTheOldState) {
  for (const bool meta_changed : booleans) {
    EXPECT_EQ(change_after_alive(MemberState::dead, meta_changed), StatusChange::join);
    EXPECT_EQ(change_after_alive(MemberState::left, meta_changed), StatusChange::join);
    const StatusChange stayed = meta_changed ? StatusChange::update : StatusChange::none;
    EXPECT_EQ(change_after_alive(MemberState::alive, meta_changed), stayed);
    EXPECT_EQ(change_after_alive(MemberState::suspect, meta_changed), stayed);
  }
  EXPECT_EQ(change_after_dead(), StatusChange::leave);
  EXPECT_TRUE(is_exposed(MemberState::alive) && is_exposed(MemberState::suspect));
  EXPECT_FALSE(is_exposed(MemberState::dead) || is_exposed(MemberState::left));
}

TEST(Rules, MergingFollowsSection10_6) {
  EXPECT_EQ(merge_action(0), MergeAction::alive);
  EXPECT_EQ(merge_action(1), MergeAction::suspect);
  EXPECT_EQ(merge_action(2), MergeAction::suspect);
  EXPECT_EQ(merge_action(3), MergeAction::left);
  for (const std::int64_t other : {-1L, 4L, 256L, 1L << 32, INT64_MIN, INT64_MAX}) {
    EXPECT_EQ(merge_action(other), MergeAction::ignore);
  }
}

}  // namespace
}  // namespace starling
