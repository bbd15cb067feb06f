#include "agent/swarm/build_up.h"

#include "tests/agent/swarm/small_swarm.h"

namespace starling::agent::swarm {
namespace {

TEST(BuildUp, EverybodyKnowsEverybody) {
  for (const std::uint32_t engines : {2u, 3u, 5u, 8u}) {
    SwarmOptions options = small_options();
    options.engines = engines;
    SmallSwarm swarm(options);
    const BuildUp built = build_up(swarm.stage());
    EXPECT_TRUE(built.converged) << engines << ": " << built.problem;
    EXPECT_GE(built.exchanges, engines - 1);
    EXPECT_LE(built.populated, built.joined);
    EXPECT_LE(built.joined, built.took);
    EXPECT_LE(built.took, built.bound);
    for (const Snapshot& engine : swarm.stage().engines()) {
      EXPECT_EQ(engine.stats.members_alive, 60u);
      EXPECT_EQ(engine.sightings.strangers, 0u);
    }
  }
}

TEST(BuildUp, SaysWhatIsMissing) {
  SwarmOptions options = small_options();
  options.timeout = std::chrono::seconds(4);
  SmallSwarm swarm(options);
  swarm.stage().cuts().split(1);  // the first engine alone
  const BuildUp built = build_up(swarm.stage());
  EXPECT_FALSE(built.converged);
  EXPECT_NE(built.problem.find("% of all members"), std::string::npos) << built.problem;
  EXPECT_GT(built.exchanges_failed, 0u);
}

TEST(BuildUp, EndsWhenInterrupted) {
  SmallSwarm swarm(small_options());
  swarm.interrupt();
  EXPECT_FALSE(build_up(swarm.stage()).converged);
}

}  // namespace
}  // namespace starling::agent::swarm
