#include "sim/world.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "core/serf/coordinate.h"
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

// Kills members that are well known, with high incarnations, and starts them all at once beside
// two that still remember. How often a restarted member had to contradict what was remembered.
std::uint64_t mass_restart(bool remember) {
  WorldOptions options = small(7);
  options.nodes = 8;
  options.remember_incarnations = remember;
  World world(options);
  const auto all_agree = [&] { return !disagreement(world).has_value(); };
  const Duration patience = convergence(options.swim, options.serf, options.nodes);
  start_all(world);
  EXPECT_TRUE(world.run_until(world.now() + patience, all_agree));
  const auto victims = [&](auto&& act) {
    for (std::uint16_t i = 2; i < 8; ++i) act(NodeId{i});
  };
  for (int change = 0; change < 5; ++change) {
    victims([&](NodeId node) { EXPECT_TRUE(world.set_meta(node)); });
    world.run_until(world.now() + seconds(3));
  }
  EXPECT_TRUE(world.run_until(world.now() + patience, all_agree));
  victims([&](NodeId node) { world.stop(node, true); });
  const auto all_failed = [&] {
    for (std::uint16_t i = 2; i < 8; ++i) {
      for (const NodeId witness : {NodeId{0}, NodeId{1}}) {
        const auto& row = world.checkers().serf().row(witness, NodeId{i});
        if (row.status != MemberStatus::failed) return false;
      }
    }
    return true;
  };
  EXPECT_TRUE(world.run_until(world.now() + 2 * detection(options.swim, 8), all_failed));
  const std::uint64_t refuted = world.report()[Count::refutations];
  victims([&](NodeId node) { world.start(node); });
  EXPECT_TRUE(world.run_until(world.now() + patience, all_agree));
  for (const NodeId node : world.all_nodes()) {
    EXPECT_EQ(world.checkers().serf().rows(node, MemberStatus::alive), 8U) << name_of(node);
  }
  expect_sound(world);
  return world.report()[Count::refutations] - refuted;
}

// Nobody stays marked dead by what is remembered of an earlier life. Who knows the incarnation it
// had begins above it, and is believed at once; who does not has to contradict.
TEST(World, AMassRestartEndsWithAllAlive) {
  EXPECT_EQ(mass_restart(true), 0U);
  EXPECT_GT(mass_restart(false), 0U);
}

// After some minutes of probes, coordinates tell how far apart any two nodes of a plane are, also
// those that never probed each other.
TEST(World, CoordinatesEstimateRoundTrips) {
  WorldOptions options = small(8);
  options.nodes = 16;
  options.latency = {.floor_min = std::chrono::microseconds(100),
                     .floor_max = std::chrono::microseconds(300),
                     .jitter_max = std::chrono::milliseconds(2),
                     .plane_side = std::chrono::milliseconds(40)};
  World world(options);
  start_all(world);
  world.run_until(world.now() + seconds(300));
  std::vector<std::optional<Coordinate>> coordinates(options.nodes);
  world.set_event_hook([&](Instant, NodeId node, const Event& event) {
    if (event.kind != Event::Kind::done || event.payload.empty()) return;
    const auto own = decode_ping_payload(event.payload);
    ASSERT_TRUE(own.has_value());
    coordinates[index_of(node)] = *own;
  });
  for (const NodeId node : world.all_nodes()) {
    const std::string name = name_of(node);
    Command ask;
    ask.kind = Command::Kind::coordinate;
    ask.name = name;
    EXPECT_TRUE(world.command(node, ask));
  }
  world.run_until(world.now() + seconds(1));
  std::vector<double> errors;
  for (const NodeId a : world.all_nodes()) {
    ASSERT_TRUE(coordinates[index_of(a)]) << name_of(a);
    for (const NodeId b : world.all_nodes()) {
      if (index_of(b) <= index_of(a)) continue;
      const double truth =
          seconds_of(world.links().floor(a, b) + world.links().floor(b, a)) + 0.0005;
      const double estimate =
          seconds_of(distance(*coordinates[index_of(a)], *coordinates[index_of(b)]));
      errors.push_back(std::abs(estimate - truth) / truth);
    }
  }
  std::ranges::sort(errors);
  EXPECT_LT(errors[errors.size() / 2], 0.05);
  EXPECT_LT(errors[errors.size() * 9 / 10], 0.15);
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
