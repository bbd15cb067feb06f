#include "core/serf/query_buffer.h"

#include <gtest/gtest.h>

#include "tests/core/serf/arena_memory.h"
#include "tests/support/alloc_counter.h"
#include "tests/support/vectors.h"

namespace starling {
namespace {

using QueryVerdict = QueryBuffer::Verdict;

struct Buffer {
  explicit Buffer(QueryBufferLimits limits)
      : memory(QueryBuffer::footprint(limits)), queries(memory.arena(), limits) {}
  QueryVerdict accept(std::uint64_t time, std::uint32_t id) {
    return queries.accept(LamportTime{time}, id);
  }
  test::ArenaMemory memory;
  QueryBuffer queries;
};

TEST(QueryBuffer, FollowsTheRecordedRun) {
  Buffer buffer({.slots = 8});
  for (const auto& step : test::load_vectors("serf.json")["query_dedup_buffer8"]) {
    SCOPED_TRACE(step.dump());
    const QueryVerdict verdict = buffer.accept(step["ltime"].get<std::uint64_t>(), step["id"]);
    // Flag 2 forbids the re-broadcast of a fresh query; filters only stop the delivery.
    const bool may_rebroadcast = (step["flags"].get<std::uint32_t>() & 2) == 0;
    EXPECT_EQ(verdict == QueryVerdict::fresh && may_rebroadcast, step["rebroadcast"].get<bool>());
    if (step["filter"].get<std::string>().empty()) {
      EXPECT_EQ(verdict == QueryVerdict::fresh, step["delivered"].get<bool>());
    }
    EXPECT_EQ(to_number(buffer.queries.time()), step["query_clock_after"].get<std::uint64_t>());
  }
}

TEST(QueryBuffer, NamesTheReasonOfEachRefusal) {
  Buffer buffer({.slots = 8, .ids_per_slot_max = 2});
  EXPECT_EQ(buffer.accept(20, 1), QueryVerdict::fresh);
  EXPECT_EQ(buffer.accept(20, 1), QueryVerdict::duplicate);
  EXPECT_EQ(buffer.accept(20, 2), QueryVerdict::fresh);
  EXPECT_EQ(buffer.accept(20, 3), QueryVerdict::full);
  EXPECT_EQ(buffer.accept(20, 2), QueryVerdict::duplicate);
  EXPECT_EQ(buffer.accept(12, 1), QueryVerdict::too_old);
  buffer.queries.raise_minimum(LamportTime{20});
  buffer.queries.raise_minimum(LamportTime{4});
  EXPECT_EQ(buffer.accept(19, 1), QueryVerdict::before_minimum);
  EXPECT_EQ(buffer.accept(28, 3), QueryVerdict::fresh);  // takes the slot over
}

TEST(QueryBuffer, TimeZeroWorksInAFreshRing) {
  Buffer buffer({.slots = 8});
  EXPECT_EQ(buffer.accept(0, 0), QueryVerdict::fresh);
  EXPECT_EQ(buffer.accept(0, 0), QueryVerdict::duplicate);
  EXPECT_EQ(to_number(buffer.queries.time()), 1u);
}

TEST(QueryBuffer, TheEndOfTimeDoesNotLetTwoTimesTakeTurns) {
  Buffer buffer({.slots = 8});
  EXPECT_EQ(buffer.accept(UINT64_MAX, 1), QueryVerdict::fresh);
  EXPECT_EQ(buffer.accept(UINT64_MAX - 8, 1), QueryVerdict::too_old);
  EXPECT_EQ(buffer.accept(UINT64_MAX, 1), QueryVerdict::duplicate);
}

TEST(QueryBuffer, AllocatesNothingAfterConstruction) {
  Buffer buffer({.slots = 8});
  const test::AllocationCounter allocations;
  for (std::uint32_t step = 0; step < 1000; ++step) buffer.accept(step / 7, step);
  EXPECT_EQ(allocations.count(), 0u);
}

}  // namespace
}  // namespace starling
