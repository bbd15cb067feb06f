#include "core/serf/event_buffer.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "tests/core/serf/arena_memory.h"
#include "tests/support/alloc_counter.h"
#include "tests/support/vectors.h"

namespace starling {
namespace {

using EventVerdict = EventBuffer::Verdict;

struct Buffer {
  explicit Buffer(EventBufferLimits limits)
      : memory(EventBuffer::footprint(limits)), events(memory.arena(), limits) {}
  EventVerdict accept(std::uint64_t time, std::string_view name, std::string_view payload = "") {
    return events.accept(LamportTime{time}, name, as_bytes(payload));
  }
  // "time:name/payload" of each event, slots in order, "-" for an empty slot.
  std::vector<std::string> dump() const {
    std::vector<std::string> lines;
    std::uint64_t time = 0;
    std::uint32_t announced = 0;
    events.for_each_slot(
        [&](LamportTime slot_time, std::uint32_t count) {
          EXPECT_EQ(announced, 0u);
          time = to_number(slot_time);
          announced = count;
        },
        [&] { lines.push_back("-"); },
        [&](const EventBuffer::Event& event) {
          --announced;
          lines.push_back(std::to_string(time) + ":" + std::string(event.name) + "/" +
                          std::string(as_text(event.payload)));
        });
    EXPECT_EQ(announced, 0u);
    return lines;
  }
  test::ArenaMemory memory;
  EventBuffer events;
};

void replay(Buffer& buffer, const nlohmann::json& steps) {
  for (const auto& step : steps) {
    SCOPED_TRACE(step.dump());
    buffer.events.raise_minimum(LamportTime{step["min_time"].get<std::uint64_t>()});
    const std::string name = step["name"], payload = step["payload"];
    const EventVerdict verdict = buffer.accept(step["ltime"].get<std::uint64_t>(), name, payload);
    EXPECT_EQ(verdict == EventVerdict::fresh, step["accepted_and_rebroadcast"].get<bool>());
    EXPECT_EQ(to_number(buffer.events.time()), step["event_clock_after"].get<std::uint64_t>());
  }
}

TEST(EventBuffer, FollowsTheRecordedRuns) {
  const auto& vectors = test::load_vectors("serf.json");
  Buffer buffer({.slots = 8});
  replay(buffer, vectors["user_event_dedup_buffer8"]);
  Buffer with_minimum({.slots = 8});
  replay(with_minimum, vectors["user_event_min_time"]);
}

TEST(EventBuffer, NamesTheReasonOfEachRefusal) {
  Buffer buffer({.slots = 8});
  EXPECT_EQ(buffer.accept(20, "a", "p"), EventVerdict::fresh);
  EXPECT_EQ(buffer.accept(20, "a", "p"), EventVerdict::duplicate);
  EXPECT_EQ(buffer.accept(12, "a", "p"), EventVerdict::too_old);
  buffer.events.raise_minimum(LamportTime{20});
  buffer.events.raise_minimum(LamportTime{3});
  EXPECT_EQ(buffer.accept(19, "a", "p"), EventVerdict::before_minimum);
  EXPECT_EQ(to_number(buffer.events.minimum()), 20u);
}

TEST(EventBuffer, NameAndPayloadAreComparedSeparately) {
  Buffer buffer({.slots = 8});
  EXPECT_EQ(buffer.accept(1, "ab", "c"), EventVerdict::fresh);
  EXPECT_EQ(buffer.accept(1, "a", "bc"), EventVerdict::fresh);
  EXPECT_EQ(buffer.accept(1, "abc", ""), EventVerdict::fresh);
  EXPECT_EQ(buffer.accept(1, "", "abc"), EventVerdict::fresh);
  EXPECT_EQ(buffer.accept(1, "", ""), EventVerdict::fresh);
  EXPECT_EQ(buffer.accept(1, "", ""), EventVerdict::duplicate);
  EXPECT_EQ(buffer.accept(1, "a", "bc"), EventVerdict::duplicate);
  EXPECT_EQ(buffer.events.events(), 5u);
}

TEST(EventBuffer, ShowsEverySlotByPositionForPushPull) {
  Buffer buffer({.slots = 4});
  buffer.accept(2, "b");
  buffer.accept(5, "e", "1");
  buffer.accept(5, "e", "2");
  EXPECT_EQ(buffer.dump(), (std::vector<std::string>{"-", "5:e/1", "5:e/2", "2:b/", "-"}));
  buffer.accept(6, "f");  // takes the slot of 2
  EXPECT_EQ(buffer.dump(), (std::vector<std::string>{"-", "5:e/1", "5:e/2", "6:f/", "-"}));
  EXPECT_EQ(buffer.events.events(), 3u);
}

TEST(EventBuffer, FullStorageEvictsTheLowestTimesAndNeverTakesThemBack) {
  Buffer buffer({.slots = 64, .events_max = 1000, .storage_bytes = 1000});
  const std::string payload(90, 'x');
  for (std::uint64_t time = 1; time <= 30; ++time) {
    ASSERT_EQ(buffer.accept(time, "n", payload), EventVerdict::fresh);
  }
  EXPECT_GT(buffer.events.evicted_slots(), 0u);
  EXPECT_LE(buffer.events.events(), 10u);
  // Push/pull replays all of them: not one comes through twice.
  for (std::uint64_t time = 1; time <= 30; ++time) {
    EXPECT_NE(buffer.accept(time, "n", payload), EventVerdict::fresh) << time;
  }
  EXPECT_EQ(buffer.accept(30, "n", payload), EventVerdict::duplicate);
  EXPECT_EQ(buffer.accept(1, "n", payload), EventVerdict::too_old);
}

TEST(EventBuffer, OneTimeMayNotPushItselfOut) {
  Buffer buffer({.slots = 8, .events_max = 100, .storage_bytes = 100});
  EXPECT_EQ(buffer.accept(5, "a", std::string(49, 'x')), EventVerdict::fresh);
  EXPECT_EQ(buffer.accept(5, "b", std::string(49, 'x')), EventVerdict::fresh);
  EXPECT_EQ(buffer.accept(5, "c", "1"), EventVerdict::no_space);
  EXPECT_EQ(buffer.accept(4, "c", "1"), EventVerdict::no_space);
  EXPECT_EQ(buffer.events.squeezes(), 0u);
  EXPECT_EQ(buffer.accept(5, "a", std::string(49, 'x')), EventVerdict::duplicate);
  EXPECT_EQ(buffer.accept(6, "big", std::string(200, 'x')), EventVerdict::no_space);
  EXPECT_EQ(buffer.accept(6, "c", "1"), EventVerdict::fresh);
  EXPECT_EQ(buffer.accept(5, "a", std::string(49, 'x')), EventVerdict::too_old);
}

TEST(EventBuffer, TooManyEventsEvictToo) {
  Buffer buffer({.slots = 16, .events_max = 8, .storage_bytes = 1000});
  for (std::uint64_t time = 1; time <= 40; ++time) {
    ASSERT_EQ(buffer.accept(time, "n"), EventVerdict::fresh);
    ASSERT_LE(buffer.events.events(), 8u);
  }
}

TEST(EventBuffer, TheEndOfTimeDoesNotLetTwoTimesTakeTurns) {
  Buffer buffer({.slots = 8});
  EXPECT_EQ(buffer.accept(UINT64_MAX, "a"), EventVerdict::fresh);
  EXPECT_EQ(buffer.accept(UINT64_MAX - 8, "a"), EventVerdict::too_old);
  EXPECT_EQ(buffer.accept(UINT64_MAX, "a"), EventVerdict::duplicate);
  EXPECT_EQ(buffer.accept(UINT64_MAX - 7, "a"), EventVerdict::fresh);
}

// Against a map without bounds: nothing is accepted twice, nothing held is wrong, and what the
// small buffer refuses beyond the rules of the ring is only what it evicted.
TEST(EventBuffer, RandomEventsAgainstAMap) {
  constexpr std::uint64_t slots = 32;
  Buffer buffer({.slots = slots, .events_max = 128, .storage_bytes = 3000});
  Rng rng(5);
  std::map<std::uint64_t, std::set<std::string>> seen;
  std::uint64_t newest = 0, fresh = 0, refused = 0;
  for (int step = 0; step < 50000; ++step) {
    const std::uint64_t time = rng.below(std::uint64_t{40}) + static_cast<std::uint64_t>(step) / 50;
    const std::string name(1 + rng.below(3u), static_cast<char>('a' + rng.below(4u)));
    const std::string payload(rng.below(60u), static_cast<char>('p' + rng.below(2u)));
    const EventVerdict verdict = buffer.accept(time, name, payload);
    newest = std::max(newest, time + 1);
    const bool in_ring = newest <= slots || time >= newest - slots;
    if (verdict == EventVerdict::fresh) {
      ++fresh;
      ASSERT_TRUE(in_ring);
      ASSERT_TRUE(seen[time].insert(name + "/" + payload).second) << "twice, step " << step;
    } else if (verdict == EventVerdict::duplicate) {
      ASSERT_TRUE(seen[time].contains(name + "/" + payload));
    } else if (in_ring) {
      ++refused;
    }
    if (step % 500 == 0) {
      for (const std::string& line : buffer.dump()) {
        if (line == "-") continue;
        const std::size_t colon = line.find(':');
        ASSERT_TRUE(seen[std::stoull(line.substr(0, colon))].contains(line.substr(colon + 1)));
      }
    }
  }
  EXPECT_GT(fresh, 5000u);
  EXPECT_GT(refused, 0u);
  EXPECT_GT(buffer.events.squeezes(), 50u);
}

TEST(EventBuffer, AllocatesNothingAfterConstruction) {
  Buffer buffer({.slots = 16, .events_max = 64, .storage_bytes = 2000});
  const std::string payload(50, 'x');
  const test::AllocationCounter allocations;
  for (std::uint64_t time = 1; time < 1000; ++time) buffer.accept(time / 3, "name", payload);
  EXPECT_EQ(allocations.count(), 0u);
}

TEST(EventBuffer, KnowsWhichTimesItMisses) {
  Buffer buffer({.slots = 8, .events_max = 64, .storage_bytes = 1024});
  const auto misses = [&](std::uint64_t from, std::uint64_t to) {
    return buffer.events.misses(LamportTime{from}, LamportTime{to});
  };
  EXPECT_FALSE(misses(1, 100)) << "nothing has happened";
  buffer.accept(1, "a");
  buffer.accept(3, "a");
  EXPECT_TRUE(misses(1, 4));
  EXPECT_TRUE(misses(2, 3));
  EXPECT_FALSE(misses(1, 2));
  EXPECT_FALSE(misses(3, 100)) << "times to come are not missed";
  buffer.accept(2, "a");
  EXPECT_FALSE(misses(1, 100));
  buffer.accept(13, "a");  // 4 is behind the ring by now, 5 is not
  EXPECT_FALSE(misses(1, 6));
  EXPECT_TRUE(misses(1, 7));
  buffer.events.raise_minimum(LamportTime{13});
  EXPECT_FALSE(misses(1, 100));
}

}  // namespace
}  // namespace starling
