#include "sim/world.h"

#include <gtest/gtest.h>

#include "sim/bounds.h"
#include "sim/convergence.h"

namespace starling::sim {
namespace {

using std::chrono::seconds;

WorldOptions small(std::uint64_t seed) {
  WorldOptions options;
  options.seed = seed;
  options.nodes = 4;
  options.swim = SwimOptions::of(Profile::local);
  return options;
}

void start_all(World& world) {
  for (const NodeId node : world.all_nodes()) world.start(node);
}
bool converge(World& world) {
  return world.run_until(world.now() + convergence(world.options().swim, world.options().serf, 4),
                         [&] { return !disagreement(world).has_value(); });
}
void expect_sound(World& world) {
  for (const Violation& each : world.checkers().violations().kept()) {
    ADD_FAILURE() << to_text(each.rule) << " at " << name_of(each.observer) << ": " << each.text;
  }
}

TEST(World, FourNodesFindEachOther) {
  World world(small(1));
  start_all(world);
  EXPECT_TRUE(disagreement(world).has_value());
  EXPECT_TRUE(converge(world));
  for (const NodeId node : world.all_nodes()) {
    EXPECT_EQ(world.checkers().serf().rows(node, MemberStatus::alive), 4U);
  }
  expect_sound(world);
}

TEST(World, SameSeedSameHashDifferentSeedDifferentHash) {
  const auto hash = [](std::uint64_t seed, bool print) {
    std::size_t lines = 0;
    World world(small(seed), print ? TraceSink([&](std::string_view) { ++lines; }) : TraceSink());
    start_all(world);
    world.run_until(world.now() + seconds(20));
    EXPECT_EQ(lines > 0, print);
    return world.trace().hash();
  };
  EXPECT_EQ(hash(5, false), hash(5, false));
  EXPECT_EQ(hash(5, false), hash(5, true)) << "printing must not change the run";
  EXPECT_NE(hash(5, false), hash(6, false));
}

TEST(World, ACrashIsNoticedAndARestartIsWelcome) {
  World world(small(2));
  start_all(world);
  ASSERT_TRUE(converge(world));
  const NodeId victim{3};
  world.stop(victim, false);
  EXPECT_TRUE(world.run_until(world.now() + detection(world.options().swim, 4),
                              [&] { return all_show(world, victim, MemberStatus::failed); }));
  world.start(victim);
  EXPECT_EQ(world.life(victim), 2U);
  EXPECT_TRUE(converge(world));
  expect_sound(world);
}

TEST(World, APausedNodeIsSuspectedAndRefutes) {
  World world(small(3));
  start_all(world);
  ASSERT_TRUE(converge(world));
  world.pause(NodeId{1});
  world.run_until(world.now() + seconds(8));
  world.resume(NodeId{1});
  world.run_until(world.now() + seconds(30));
  EXPECT_GT(world.report()[Count::suspicions], 0U);
  EXPECT_GT(world.report()[Count::refutations], 0U);
  EXPECT_FALSE(disagreement(world).has_value());
  expect_sound(world);
}

TEST(World, ALeaveIsSeenAsOne) {
  World world(small(4));
  start_all(world);
  ASSERT_TRUE(converge(world));
  EXPECT_TRUE(world.leave(NodeId{2}));
  EXPECT_TRUE(world.run_until(world.now() + seconds(60),
                              [&] { return all_show(world, NodeId{2}, MemberStatus::left); }));
  expect_sound(world);
}

TEST(World, AUserEventReachesEverybodyOnce) {
  World world(small(5));
  start_all(world);
  ASSERT_TRUE(converge(world));
  EXPECT_TRUE(world.send_user_event(NodeId{1}, "deploy", "v1"));
  world.run_until(world.now() + delivery(world.options().swim, 4));
  for (const NodeId node : world.all_nodes()) {
    EXPECT_EQ(world.checkers().serf().deliveries(node, "deploy"), 1U) << name_of(node);
  }
  expect_sound(world);
}

TEST(World, AppointmentsComeInOrder) {
  World world(small(6));
  std::string order;
  world.at_instant(world.now() + seconds(2), [&] { order += "c"; });
  world.at_instant(world.now() + seconds(1), [&] { order += "a"; });
  world.at_instant(world.now() + seconds(1), [&] { order += "b"; });
  EXPECT_FALSE(world.run_until(world.now() + seconds(3)));
  EXPECT_EQ(order, "abc");
}

}  // namespace
}  // namespace starling::sim
