#include "core/serf/intents.h"

#include <gtest/gtest.h>

#include <map>

#include "core/base/rng.h"
#include "tests/core/serf/arena_memory.h"
#include "tests/support/alloc_counter.h"

namespace starling {
namespace {

using std::chrono::seconds;

constexpr Instant began{};

TEST(RecentIntents, KeepTheNewestOfAName) {
  test::ArenaMemory memory(RecentIntents::footprint(8));
  RecentIntents intents(memory.arena(), 8);
  const NameHash a = hash_name("a");

  EXPECT_EQ(intents.find(a), std::nullopt);
  EXPECT_TRUE(intents.upsert(a, IntentKind::join, LamportTime{0}, began));
  EXPECT_FALSE(intents.upsert(a, IntentKind::leave, LamportTime{0}, began));
  EXPECT_TRUE(intents.upsert(a, IntentKind::leave, LamportTime{3}, began));
  EXPECT_FALSE(intents.upsert(a, IntentKind::join, LamportTime{2}, began));

  EXPECT_EQ(intents.find(a), (RecentIntent{IntentKind::leave, LamportTime{3}}));
  EXPECT_EQ(intents.find(a, IntentKind::leave), LamportTime{3});
  EXPECT_EQ(intents.find(a, IntentKind::join), std::nullopt);
  EXPECT_EQ(intents.size(), 1u);
}

TEST(RecentIntents, ExpireByWhenTheyWereLastRenewed) {
  test::ArenaMemory memory(RecentIntents::footprint(8));
  RecentIntents intents(memory.arena(), 8);
  intents.upsert(hash_name("a"), IntentKind::join, LamportTime{1}, began);
  intents.upsert(hash_name("b"), IntentKind::join, LamportTime{1}, began + seconds(1));
  intents.upsert(hash_name("a"), IntentKind::join, LamportTime{2}, began + seconds(2));

  EXPECT_EQ(intents.expire(began + seconds(301), RecentIntents::age_max), 0u);
  EXPECT_EQ(intents.expire(began + seconds(302), RecentIntents::age_max), 1u);
  EXPECT_TRUE(intents.find(hash_name("a")));
  EXPECT_FALSE(intents.find(hash_name("b")));
  EXPECT_EQ(intents.expire(began + seconds(303), RecentIntents::age_max), 1u);
  EXPECT_EQ(intents.size(), 0u);
}

TEST(RecentIntents, AFullTableForgetsTheOldest) {
  test::ArenaMemory memory(RecentIntents::footprint(3));
  RecentIntents intents(memory.arena(), 3);
  for (std::uint64_t name = 1; name <= 3; ++name) {
    intents.upsert(NameHash{name}, IntentKind::join, LamportTime{1}, began);
  }
  intents.upsert(NameHash{1}, IntentKind::join, LamportTime{2}, began);
  intents.upsert(NameHash{4}, IntentKind::leave, LamportTime{1}, began);
  EXPECT_EQ(intents.size(), 3u);
  EXPECT_EQ(intents.evictions(), 1u);
  EXPECT_FALSE(intents.find(NameHash{2}));
  for (const std::uint64_t name : {1u, 3u, 4u}) EXPECT_TRUE(intents.find(NameHash{name}));
}

// Against a map, with names that crowd a few places of the index so that gaps must be closed.
TEST(RecentIntents, AgreeWithAMapThroughEvictionsAndCollisions) {
  constexpr std::uint32_t intents_max = 20;
  test::ArenaMemory memory(RecentIntents::footprint(intents_max));
  RecentIntents intents(memory.arena(), intents_max);

  struct Reference {
    RecentIntent intent;
    std::uint64_t order;
  };
  std::map<std::uint64_t, Reference> reference;
  Rng rng(7);
  test::AllocationCounter allocations;
  std::size_t made_by_map = 0;
  for (std::uint64_t step = 0; step < 20000; ++step) {
    const std::uint64_t name = (rng.below(std::uint64_t{8}) << 32) + rng.below(7u);
    const auto kind = rng.below(2u) == 0 ? IntentKind::join : IntentKind::leave;
    const LamportTime time{rng.below(50u) + step / 100};
    const Instant now = began + seconds(step);
    const bool stored = intents.upsert(NameHash{name}, kind, time, now);

    const std::size_t before = allocations.count();
    const auto known = reference.find(name);
    const bool expected = known == reference.end() || known->second.intent.time < time;
    if (known == reference.end() && reference.size() == intents_max) {
      reference.erase(std::min_element(
          reference.begin(), reference.end(),
          [](const auto& a, const auto& b) { return a.second.order < b.second.order; }));
    }
    if (expected) reference[name] = {{kind, time}, step};
    made_by_map += allocations.count() - before;

    ASSERT_EQ(stored, expected) << "step " << step;
    if (step % 64 == 0) {
      const std::uint32_t expired = intents.expire(now, seconds(90));
      ASSERT_EQ(expired, std::erase_if(reference, [&](const auto& entry) {
                  return step - entry.second.order > 90;
                }));
    }
    ASSERT_EQ(intents.size(), reference.size());
    for (const auto& [other, held] : reference) {
      ASSERT_EQ(intents.find(NameHash{other}), held.intent) << "step " << step;
    }
  }
  EXPECT_EQ(allocations.count(), made_by_map);
}

}  // namespace
}  // namespace starling
