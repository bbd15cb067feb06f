#include "sim/checkers.h"

#include <gtest/gtest.h>

#include "tests/sim/nodes.h"

namespace starling::sim {
namespace {

class CheckersTest : public testing::Test {
 protected:
  CheckersTest() { checkers_.on_start(a, ""); }
  Event trace(TraceKind kind, std::string_view name, std::string_view from = {}) {
    Event event;
    event.kind = Event::Kind::trace;
    event.trace = kind;
    event.name = name;
    event.from = from;
    event.number = 1;
    return event;
  }
  void say(const Event& event) { checkers_.on_event(Instant{}, a, event); }

  Report report_;
  Checkers checkers_{EngineOptions{}, 3, report_};
};

TEST_F(CheckersTest, CountsWhatItSees) {
  say(trace(TraceKind::member_alive, "n001"));
  say(trace(TraceKind::suspect_started, "n001", "n002"));
  say(trace(TraceKind::probe_failed, "n001"));
  EXPECT_EQ(report_[Count::suspicions], 1U);
  EXPECT_EQ(report_[Count::probes_failed], 1U);
  EXPECT_EQ(report_[Count::checks], 3U);
  EXPECT_EQ(checkers_.swim().suspects(a), 1U);
  EXPECT_EQ(checkers_.violations().count(), 0U);
}

TEST_F(CheckersTest, RefusesNamesThatNoNodeHas) {
  for (const char* name : {"n003", "n01", "n0001", "x001", "n00a", ""}) {
    const std::size_t before = checkers_.violations().count();
    say(trace(TraceKind::member_alive, name));
    EXPECT_EQ(checkers_.violations().count(), before + 1) << name;
    EXPECT_EQ(checkers_.violations().kept().back().rule, Rule::unknown_name);
  }
}

TEST_F(CheckersTest, RefusesAccusersThatDoNotExist) {
  say(trace(TraceKind::member_alive, "n001"));
  say(trace(TraceKind::suspect_started, "n001", "n007"));
  ASSERT_EQ(checkers_.violations().count(), 1U);
  EXPECT_EQ(checkers_.violations().kept()[0].rule, Rule::unknown_name);
}

TEST_F(CheckersTest, ComparesTheEnginesNumbersWithItsEvents) {
  say(trace(TraceKind::member_alive, "n001"));
  checkers_.owner().on_command(a, 5);
  Event stats;
  stats.kind = Event::Kind::stats;
  stats.token = 5;
  stats.stats = {};
  stats.stats.nodes = 2;  // by its events it lists one
  say(stats);
  ASSERT_EQ(checkers_.violations().count(), 1U);
  EXPECT_EQ(checkers_.violations().kept()[0].rule, Rule::numbers_disagree);
}

}  // namespace
}  // namespace starling::sim
