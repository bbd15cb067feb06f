#include "core/base/wheel.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <vector>

#include "core/base/rng.h"
#include "tests/support/alloc_counter.h"
#include "tests/support/arena_block.h"

namespace starling {
namespace {

using namespace std::chrono_literals;

struct Wheel {
  explicit Wheel(std::uint32_t timers_max, Instant start = {})
      : block(TimerWheel::footprint(timers_max)), wheel(block.arena(), timers_max, start) {}
  std::vector<std::uint32_t> fire(Instant now) {
    std::vector<std::uint32_t> fired;
    wheel.advance(now, [&](TimerId id) {
      fired.push_back(static_cast<std::uint32_t>(id));
      return true;
    });
    return fired;
  }
  test::ArenaBlock block;
  TimerWheel wheel;
};

using Ids = std::vector<std::uint32_t>;
constexpr Instant zero{};

TEST(Wheel, FiresWhenDueAndNeverEarly) {
  Wheel w(4);
  w.wheel.arm(TimerId{0}, zero + 10ms);
  w.wheel.arm(TimerId{1}, zero + 10ms + 1ns);
  EXPECT_TRUE(w.wheel.armed(TimerId{0}));
  EXPECT_EQ(w.wheel.due(TimerId{0}), zero + 10ms);
  EXPECT_EQ(w.wheel.due(TimerId{1}), zero + 11ms);
  EXPECT_EQ(w.wheel.next_due(), zero + 10ms);
  EXPECT_EQ(w.fire(zero + 10ms - 1ns), Ids{});
  EXPECT_EQ(w.fire(zero + 10ms), Ids{0});
  EXPECT_FALSE(w.wheel.armed(TimerId{0}));
  EXPECT_EQ(w.fire(zero + 11ms - 1ns), Ids{});
  EXPECT_EQ(w.fire(zero + 11ms), Ids{1});
  EXPECT_EQ(w.wheel.next_due(), Instant::max());
  EXPECT_EQ(w.wheel.armed_count(), 0u);
}

TEST(Wheel, CancelAndRearm) {
  Wheel w(4);
  w.wheel.cancel(TimerId{3});
  w.wheel.arm(TimerId{0}, zero + 5ms);
  w.wheel.arm(TimerId{1}, zero + 5ms);
  w.wheel.arm(TimerId{0}, zero + 5ms);  // now behind timer 1
  w.wheel.arm(TimerId{2}, zero + 5ms);
  w.wheel.cancel(TimerId{2});
  EXPECT_EQ(w.wheel.armed_count(), 2u);
  EXPECT_EQ(w.fire(zero + 1h), (Ids{1, 0}));
}

TEST(Wheel, ThePastIsDueAtOnce) {
  Wheel w(2, zero + 1h);
  w.wheel.arm(TimerId{0}, zero);
  EXPECT_EQ(w.wheel.next_due(), zero + 1h);
  EXPECT_EQ(w.fire(zero + 1h), Ids{0});
  EXPECT_EQ(w.fire(zero), Ids{});
}

TEST(Wheel, OneTickKeepsTheOrderOfArmingAcrossLevels) {
  Wheel w(8);
  const Instant due = zero + 3 * 65536ms + 5 * 256ms + 7ms;
  w.wheel.arm(TimerId{5}, due);  // two levels up
  w.fire(zero + 3 * 65536ms);
  w.wheel.arm(TimerId{2}, due);  // one level up
  w.fire(zero + 3 * 65536ms + 5 * 256ms);
  w.wheel.arm(TimerId{7}, due);  // lowest level
  w.wheel.arm(TimerId{0}, due);
  EXPECT_EQ(w.fire(due), (Ids{5, 2, 7, 0}));
}

TEST(Wheel, FarTimersWaitTheirTime) {
  Wheel w(4);
  const Instant far = zero + 24h * 200;
  w.wheel.arm(TimerId{0}, far);
  w.wheel.arm(TimerId{1}, Instant::max());
  w.wheel.arm(TimerId{2}, far + 1ms);
  EXPECT_EQ(w.fire(far - 1ms), Ids{});
  EXPECT_LE(w.wheel.next_due(), far);
  EXPECT_EQ(w.fire(far), Ids{0});
  EXPECT_EQ(w.fire(far + 1ms), Ids{2});
  EXPECT_TRUE(w.wheel.armed(TimerId{1}));
  EXPECT_NE(w.wheel.next_due(), Instant::max());
}

TEST(Wheel, StoppingLeavesTheRestDue) {
  Wheel w(8);
  for (const std::uint32_t id : {0u, 1u, 2u}) w.wheel.arm(TimerId{id}, zero + 5ms);
  w.wheel.arm(TimerId{3}, zero + 6ms);
  const bool finished = w.wheel.advance(zero + 10ms, [&](TimerId) {
    w.wheel.arm(TimerId{4}, zero);
    return false;
  });
  EXPECT_FALSE(finished);
  EXPECT_LE(w.wheel.next_due(), zero + 10ms);
  EXPECT_EQ(w.fire(zero + 10ms), (Ids{1, 2, 4, 3}));
}

TEST(Wheel, ATimerThatRearmsItselfForNowDoesNotLoop) {
  Wheel w(1);
  w.wheel.arm(TimerId{0}, zero + 1ms);
  int fired = 0;
  const auto rearm = [&](TimerId id) {
    ++fired;
    w.wheel.arm(id, zero);
    return true;
  };
  EXPECT_TRUE(w.wheel.advance(zero + 50ms, rearm));
  EXPECT_EQ(fired, 1);
  EXPECT_LE(w.wheel.next_due(), zero + 50ms);
  EXPECT_TRUE(w.wheel.advance(zero + 50ms, rearm));
  EXPECT_EQ(fired, 2);
}

TEST(Wheel, CancellingATimerOfTheSameTickInTheCallback) {
  Wheel w(3);
  for (const std::uint32_t id : {0u, 1u, 2u}) w.wheel.arm(TimerId{id}, zero + 1ms);
  Ids fired;
  w.wheel.advance(zero + 1ms, [&](TimerId id) {
    fired.push_back(static_cast<std::uint32_t>(id));
    w.wheel.cancel(TimerId{1});
    return true;
  });
  EXPECT_EQ(fired, (Ids{0, 2}));
}

// The oracle: a multimap from tick to timer, which keeps the order of insertion per key.
class Oracle {
 public:
  void arm(std::uint32_t id, std::uint64_t tick) {
    cancel(id);
    if (tick <= current_ && firing_) {
      later_.push_back(id);
    } else {
      due_.emplace(std::max(tick, current_), id);
    }
  }
  void cancel(std::uint32_t id) {
    std::erase(later_, id);
    std::erase_if(due_, [&](const auto& entry) { return entry.second == id; });
  }
  // The next timer due by `target`.
  std::optional<std::uint32_t> begin_next(std::uint64_t target) {
    firing_ = true;
    if (due_.empty() || due_.begin()->first > target) return std::nullopt;
    const std::uint32_t id = due_.begin()->second;
    current_ = std::max(current_, due_.begin()->first);
    due_.erase(due_.begin());
    return id;
  }
  void end_advance(std::uint64_t target, bool stopped) {
    firing_ = false;
    if (!stopped) current_ = std::max(current_, target);
    // Timers armed late come before everything of later ticks, and after what is due already.
    for (const std::uint32_t id : later_) due_.emplace(current_, id);
    later_.clear();
  }
  std::uint64_t next() const { return due_.empty() ? ~0ull : due_.begin()->first; }
  bool armed(std::uint32_t id) const {
    for (const auto& entry : due_) {
      if (entry.second == id) return true;
    }
    return std::find(later_.begin(), later_.end(), id) != later_.end();
  }

 private:
  std::multimap<std::uint64_t, std::uint32_t> due_;
  std::vector<std::uint32_t> later_;
  std::uint64_t current_ = 0;
  bool firing_ = false;
};

std::uint64_t random_delay(Rng& rng) {
  switch (rng.below(8)) {
    case 0:
      return 0;
    case 1:
      return rng.below(1ull << 33);
    case 2:
      return rng.below(1ull << 25);
    case 3:
      return rng.below(1ull << 17);
    case 4:
      return 256 * rng.below(4ull);
    default:
      return rng.below(300ull);
  }
}

void run_against_oracle(std::uint64_t seed) {
  Rng rng(seed);
  constexpr std::uint32_t timers = 40;
  const Instant start = zero + Duration(rng.below(5'000'000'000));
  Wheel w(timers, start);
  Oracle oracle;
  std::uint64_t now = 0;  // in ticks
  const auto random_arm = [&] {
    const std::uint32_t id = rng.below(timers);
    if (rng.chance(0.2)) {
      w.wheel.cancel(TimerId{id});
      oracle.cancel(id);
      return;
    }
    const std::uint64_t back = rng.chance(0.1) ? rng.below(now + 1) : 0;
    const std::uint64_t tick = now - back + random_delay(rng);
    // Anywhere inside the millisecond before the tick rounds up to it.
    const Duration early{tick == 0 ? 0 : rng.below(1'000'000)};
    w.wheel.arm(TimerId{id}, start + tick * 1ms - early);
    oracle.arm(id, tick);
  };

  for (int step = 0; step < 600; ++step) {
    for (std::uint32_t i = rng.below(4u); i > 0; --i) random_arm();
    now += random_delay(rng);
    const Duration inside{rng.below(1'000'000)};
    bool stopped = false;
    w.wheel.advance(start + now * 1ms + inside, [&](TimerId id) {
      const std::optional<std::uint32_t> expected = oracle.begin_next(now);
      EXPECT_TRUE(expected.has_value());
      if (expected) {
        EXPECT_EQ(static_cast<std::uint32_t>(id), *expected);
      }
      EXPECT_FALSE(w.wheel.armed(id));
      if (rng.chance(0.3)) random_arm();
      stopped = rng.chance(0.05);
      return !stopped && !::testing::Test::HasFailure();
    });
    if (::testing::Test::HasFailure()) return;
    if (!stopped) {
      ASSERT_FALSE(oracle.begin_next(now).has_value());
    }
    oracle.end_advance(now, stopped);

    for (std::uint32_t id = 0; id < timers; ++id) {
      ASSERT_EQ(w.wheel.armed(TimerId{id}), oracle.armed(id));
    }
    if (oracle.next() == ~0ull) {
      ASSERT_EQ(w.wheel.next_due(), Instant::max());
    } else {
      const Instant next = start + oracle.next() * 1ms;
      ASSERT_LE(w.wheel.next_due(), next);
      if (!stopped && oracle.next() / 256 == now / 256) {
        ASSERT_EQ(w.wheel.next_due(), next);
      }
    }
  }
}

TEST(Wheel, AgreesWithAMultimapUnderRandomUse) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    run_against_oracle(seed);
    if (HasFailure()) return;
  }
}

TEST(Wheel, FollowingNextDueReachesEveryTimerInAFewSteps) {
  Rng rng(9);
  Wheel w(100);
  Instant last = zero;
  for (std::uint32_t id = 0; id < 100; ++id) {
    const Instant due = zero + random_delay(rng) * 1ms;
    last = std::max(last, due);
    w.wheel.arm(TimerId{id}, due);
  }
  int steps = 0;
  std::size_t fired = 0;
  while (w.wheel.armed_count() > 0 && steps < 600) {
    const Instant now = w.wheel.next_due();
    ASSERT_LE(now, last);
    fired += w.fire(now).size();
    ++steps;
  }
  EXPECT_EQ(fired, 100u);
}

TEST(Wheel, AllocatesNothing) {
  Wheel w(10);
  const test::AllocationCounter allocations;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    w.wheel.arm(TimerId{i % 10}, zero + i * 1ms);
    w.wheel.advance(zero + (i / 2) * 1ms, [](TimerId) { return true; });
  }
  EXPECT_EQ(allocations.count(), 0u);
}

}  // namespace
}  // namespace starling
