#include "agent/swarm/stage.h"

#include <set>

#include "tests/agent/swarm/small_swarm.h"

namespace starling::agent::swarm {
namespace {

using Waited = Stage::Waited;
using std::chrono::milliseconds;

TEST(Stage, WaitsForWhatIsDoneOrLate) {
  SmallSwarm swarm(small_options());
  unsigned asked = 0;
  EXPECT_EQ(swarm.stage().wait({"count", std::chrono::minutes(1)}, [&] { return ++asked == 3; }),
            Waited::done);
  EXPECT_EQ(asked, 3u);
  EXPECT_EQ(swarm.last_doing(), "count");
  EXPECT_EQ(swarm.stage().wait({"never", milliseconds(1)}, [] { return false; }), Waited::late);
  EXPECT_GE(swarm.ticks(), 4u);
}

TEST(Stage, EndsWhenInterrupted) {
  SmallSwarm swarm(small_options());
  swarm.interrupt();
  EXPECT_EQ(swarm.stage().wait({"x", std::chrono::hours(1)}, [] { return false; }),
            Waited::interrupted);
  EXPECT_TRUE(swarm.result().interrupted);
  EXPECT_EQ(swarm.stage().wait({"x", std::chrono::hours(1)}, [] { return true; }),
            Waited::interrupted);
}

TEST(Stage, EndsWithTheWholeRun) {
  SwarmOptions options = small_options();
  options.timeout = milliseconds(1);
  SmallSwarm swarm(options);
  EXPECT_EQ(swarm.stage().wait({"x", std::chrono::hours(1)}, [] { return false; }), Waited::late);
}

TEST(Stage, ChoosesLivingMembers) {
  SmallSwarm swarm(small_options());
  Stage& stage = swarm.stage();
  const auto some = stage.choose_living(10);
  EXPECT_EQ(std::set(some.begin(), some.end()).size(), 10u);
  for (const std::uint32_t member : some) {
    stage.bury(member);
    stage.bury(member);
  }
  EXPECT_EQ(stage.living_count(), 50u);
  const auto rest = stage.choose_living(1'000);
  EXPECT_EQ(rest.size(), 50u);
  for (const std::uint32_t member : rest) EXPECT_TRUE(stage.living(member));
}

TEST(Stage, EndsAnEngine) {
  SmallSwarm swarm(small_options());
  Stage& stage = swarm.stage();
  stage.end_engine(1);
  EXPECT_FALSE(stage.running()[1]);
  EXPECT_EQ(stage.living_count(), 40u);
  EXPECT_EQ(stage.wait({"end", std::chrono::minutes(1)}, [&] { return stage.engines()[1].ended; }),
            Waited::done);
  EXPECT_EQ(stage.agreement().engines, 2u);
}

}  // namespace
}  // namespace starling::agent::swarm
