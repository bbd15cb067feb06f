#include "core/serf/lamport.h"

#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace starling {
namespace {

TEST(LamportClock, FollowsTheRecordedRun) {
  LamportClock clock;
  for (const auto& step : test::load_vectors("serf.json")["lamport"]) {
    const std::string operation = step["op"];
    if (operation == "inc") {
      EXPECT_EQ(to_number(clock.increment()), step["after"].get<std::uint64_t>());
    } else if (operation == "witness") {
      clock.witness(LamportTime{step["v"].get<std::uint64_t>()});
    } else {
      ASSERT_EQ(operation, "time");
    }
    EXPECT_EQ(to_number(clock.time()), step["after"].get<std::uint64_t>());
  }
}

TEST(LamportClock, StaysAtTheEndOfTime) {
  LamportClock clock;
  clock.witness(LamportTime{UINT64_MAX});
  EXPECT_EQ(to_number(clock.time()), UINT64_MAX);
  clock.witness(LamportTime{5});
  EXPECT_EQ(to_number(clock.time()), UINT64_MAX);
}

TEST(LamportClock, TakesARemoteClockAsOnePastWhatWasSeen) {
  LamportClock clock(LamportTime{1});
  clock.witness_clock(LamportTime{0});
  EXPECT_EQ(to_number(clock.time()), 1u);
  clock.witness_clock(LamportTime{9});
  EXPECT_EQ(to_number(clock.time()), 9u);
}

}  // namespace
}  // namespace starling
